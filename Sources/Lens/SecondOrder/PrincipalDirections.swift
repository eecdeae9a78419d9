import DenseMath
import Foundations

/// The first right singular vectors of the largest centred effects of some neurons, and how much of them lies there.
public struct PrincipalDirections: Sendable, Equatable {
    /// r_n: unit rows, signed so that more than half of S_n project positively; zeros for a neuron without effects. // [N, d]
    public var directions: Tensor
    /// σ₁²/Σσ²: the share along r_n of the second moments Σ‖φ_n − φ̄_n‖² over S_n, 0…1. φ̄_n is the mean over all images, so
    /// that the distance of S_n from that mean counts as well as the spread within S_n. // [N]
    public var shares: [Float]
    /// The same of the effects in S_n less *their* mean, along their own first direction: what principal component
    /// analysis calls explained variance, 0…1. // [N]
    public var centredShares: [Float]
    /// σ₂/σ₁, 0…1: near 1 a neuron has no first direction, and rounding decides which one is found. // [N]
    public var ratios: [Float]

    public init(directions: Tensor, shares: [Float] = [], centredShares: [Float] = [], ratios: [Float] = []) {
        (self.directions, self.shares, self.centredShares, self.ratios) = (directions, shares, centredShares, ratios)
    }

    /// Of the neurons of one lens, S_n the images with the largest effects.
    /// - Parameters:
    ///   - largest: S_n and its coordinates, for every neuron.
    ///   - biasShares: δb of the images of the fit set that `largest` names. // [images, d]
    /// - Throws: ``LensError/factorisation(layer:neuron:_:)`` when effects are not finite.
    public init(_ lens: SecondOrderLens, largest: LargestEffects, biasShares: Tensor) throws {
        let (N, C, K, d) = (lens.neurons, largest.count, lens.headCount, lens.embeddingWidth)
        var found: [PrincipalDirection] = []
        var effects = [Float](repeating: 0, count: C * d)
        let chunk = lens.directionsTogether
        for start in stride(from: 0, to: N, by: chunk) {
            let range = start..<min(start + chunk, N)
            let M = lens.headDirections(range)
            for n in range {
                // Centred effects E = δS M_n + δB. // [C, d]
                for c in 0..<C {
                    let image = Int(largest.images[n * C + c])
                    for j in 0..<d { effects[c * d + j] = biasShares.elements[image * d + j] }
                }
                largest.coordinates.elements.withUnsafeBufferPointer { s in
                    M.elements.withUnsafeBufferPointer { M in
                        guard let s = s.baseAddress, let M = M.baseAddress else { return }
                        BLAS.multiply(
                            C, d, K, s + n * C * K, stride: K, M + (n - start) * K * d, stride: d, beta: 1,
                            into: &effects, stride: d)
                    }
                }
                do {
                    found.append(try PrincipalDirection(of: effects, count: C, width: d))
                } catch let error as FactorisationError {
                    throw LensError.factorisation(layer: lens.layer, neuron: n, error)
                }
            }
        }
        self.init(found, width: d)
    }

    /// Of neurons whose directions are known one by one.
    /// - Parameter d: of the joint space.
    public init(_ neurons: [PrincipalDirection], width d: Int) {
        self.init(
            directions: Tensor(shape: [neurons.count, d], elements: neurons.flatMap(\.vector)),
            shares: neurons.map(\.share),
            centredShares: neurons.map(\.centredShare), ratios: neurons.map(\.ratio))
    }

    /// Of ``ratios``, above which a neuron counts as one without a first direction: at 0.95 a change of the effects by a
    /// hundredth of their size can turn it by 10°.
    public static let usualGap = 0.95

    /// Whether a neuron has a first direction, its σ₂/σ₁ being at most `gap`.
    public func hasFirst(_ neuron: Int, gap: Double) -> Bool { ratios[neuron] <= Float(gap) }

    /// The same with every direction turned by an angle, each to a side of its own.
    /// - Parameter angle: radians, small.
    public func turned(by angle: Float, _ random: inout SplitMix64) -> PrincipalDirections {
        let d = directions.rowWidth
        let sides = Tensor(shape: directions.shape, elements: random.normals(directions.elements.count))
            .rowsNormalised()
        var result = self
        for index in directions.elements.indices { result.directions.elements[index] += angle * sides.elements[index] }
        result.directions = result.directions.rowsNormalised()
        for n in 0..<directions.shape[0] where directions[row: n].allSatisfy({ $0 == 0 }) {
            for j in 0..<d { result.directions.elements[n * d + j] = 0 }
        }
        return result
    }
}

/// The first right singular vector of a neuron's effects, and what ``PrincipalDirections`` says of it.
public struct PrincipalDirection: Sendable, Equatable {
    public let vector: [Float]
    public let share, centredShare, ratio: Float

    /// - Parameter effects: centred by a mean that may be that of more images than these, the images a row each. // [count, width]
    /// - Throws: `FactorisationError` when effects are not finite.
    public init(of effects: [Float], count C: Int, width d: Int) throws {
        // Through E Eᵀ, whose eigenvalues are σ².
        var gram = [Float](repeating: 0, count: C * C)
        BLAS.multiply(C, C, d, effects, stride: d, effects, stride: d, otherTransposed: true, into: &gram, stride: C)
        var matrix = gram.map(Double.init)
        let trace = (0..<C).reduce(0) { $0 + matrix[$1 * C + $1] }
        guard trace != 0 else {
            (vector, share, centredShare, ratio) = ([Float](repeating: 0, count: d), 0, 0, 1)
            return
        }
        centredShare = Float(try Self.centredShare(matrix, count: C))
        let (values, vectors) = try Factorisations.largestEigenpairs(&matrix, count: C, keeping: min(2, C))
        ratio = values.count < 2 ? 0 : Float((max(values[1], 0) / values[0]).squareRoot())
        share = Float(values[0] / trace)
        vector = Self.direction(effects, count: C, width: d, along: vectors[..<C].map(Float.init))
    }

    /// Eᵀu at unit length, turned so that more than half of the effects project positively. // [d]
    private static func direction(_ effects: [Float], count C: Int, width d: Int, along u: [Float]) -> [Float] {
        var direction = [Float](repeating: 0, count: d)
        BLAS.multiply(C, d, effects, stride: d, transposed: true, vector: u, into: &direction)
        let length = BLAS.dot(direction, direction, count: d).squareRoot()
        guard length > 0 else { return direction }
        for j in 0..<d { direction[j] /= length }
        var projections = [Float](repeating: 0, count: C)
        BLAS.multiply(C, d, effects, stride: d, vector: direction, into: &projections)
        let positive = projections.count { $0 > 0 }
        let turns = 2 * positive == C ? projections.reduce(0, +) < 0 : 2 * positive < C
        return turns ? direction.map { -$0 } : direction
    }

    /// The largest eigenvalue over the trace of H E Eᵀ H, H taking away the mean over rows; 0 where nothing is left.
    private static func centredShare(_ gram: [Double], count C: Int) throws -> Double {
        let means = (0..<C).map { row in gram[row * C..<(row + 1) * C].reduce(0, +) / Double(C) }
        let mean = means.reduce(0, +) / Double(C)
        var centred = gram
        for row in 0..<C { for column in 0..<C { centred[row * C + column] += mean - means[row] - means[column] } }
        let (trace, whole) = (
            (0..<C).reduce(0) { $0 + centred[$1 * C + $1] }, (0..<C).reduce(0) { $0 + gram[$1 * C + $1] }
        )
        // What rounding leaves of equal rows is no spread.
        guard trace > whole * 1e-6 else { return 0 }
        return try Factorisations.largestEigenpair(&centred, count: C).value / trace
    }
}

/// How the neurons of a layer read one vector each: the image-independent half of replacing effects by
/// their projections. Made once and shared by all workers.
public struct DirectionReadings: Sendable, Equatable {
    /// v_n, of any length. // [N, d]
    public let directions: Tensor
    /// ρ_{n,k} = M_{n,k} · v_n. // [N, K]
    public let projections: Tensor

    /// - Precondition: one row for each neuron of the lens. // [N, d]
    public init(_ lens: SecondOrderLens, directions: Tensor) {
        let (K, d) = (lens.headCount, lens.embeddingWidth)
        precondition(directions.shape == [lens.neurons, d], "\(directions.shape) is not one direction a neuron")
        var projections = Tensor(zeros: [lens.neurons, K])
        for start in stride(from: 0, to: lens.neurons, by: lens.directionsTogether) {
            let range = start..<min(start + lens.directionsTogether, lens.neurons)
            let M = lens.headDirections(range)
            for n in range {
                for k in 0..<K {
                    let row = ((n - start) * K + k) * d
                    projections.elements[n * K + k] = zip(M.elements[row..<row + d], directions[row: n])
                        .reduce(0) { $0 + $1.0 * $1.1 }
                }
            }
        }
        self.directions = directions
        self.projections = projections
    }
}
