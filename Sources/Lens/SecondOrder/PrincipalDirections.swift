import DenseMath

/// r_n: the first right singular vector of the centred effects of S_n, for every neuron of a layer.
public struct PrincipalDirections: Sendable, Equatable {
    /// Unit rows, signed so that more than half of S_n project positively. // [N, d]
    public let directions: Tensor
    /// Share of Σ‖φ_n − φ̄_n‖² over S_n that lies along r_n, 0…1. // [N]
    public let explainedVariance: [Float]

    public init(directions: Tensor, explainedVariance: [Float]) {
        self.directions = directions
        self.explainedVariance = explainedVariance
    }

    /// - Parameters:
    ///   - biasShares: δb of the images of the fit set that `largest` names. // [images, d]
    /// - Throws: ``LensError/factorisation(layer:neuron:_:)`` when effects are not finite.
    public init(_ lens: SecondOrderLens, largest: LargestEffects, biasShares: Tensor) throws {
        let (N, C, K, d) = (lens.neurons, largest.count, lens.headCount, lens.embeddingWidth)
        var directions = Tensor(zeros: [N, d])
        var explained = [Float](repeating: 0, count: N)
        var effects = [Float](repeating: 0, count: C * d)
        var gram = [Float](repeating: 0, count: C * C)
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
                    let (direction, share) = try Self.first(of: effects, count: C, width: d, gram: &gram)
                    directions.elements.replaceSubrange(n * d..<(n + 1) * d, with: direction)
                    explained[n] = share
                } catch let error as FactorisationError {
                    throw LensError.factorisation(layer: lens.layer, neuron: n, error)
                }
            }
        }
        self.init(directions: directions, explainedVariance: explained)
    }

    /// The first right singular vector of a C×d matrix and its share of the squares, through E Eᵀ.
    /// - Parameter gram: scratch. // [C, C]
    /// - Throws: `FactorisationError` when effects are not finite.
    package static func first(of effects: [Float], count C: Int, width d: Int, gram: inout [Float]) throws -> ([Float], Float) {
        BLAS.multiply(C, C, d, effects, stride: d, effects, stride: d, otherTransposed: true, into: &gram, stride: C)
        var matrix = gram.map(Double.init)
        let trace = (0..<C).reduce(0) { $0 + matrix[$1 * C + $1] }
        // A neuron without any effect has no direction.
        guard trace != 0 else { return ([Float](repeating: 0, count: d), 0) }
        let (value, vector) = try Factorisations.largestEigenpair(&matrix, count: C)
        var direction = [Float](repeating: 0, count: d)
        BLAS.multiply(C, d, effects, stride: d, transposed: true, vector: vector.map(Float.init), into: &direction)
        let length = BLAS.dot(direction, direction, count: d).squareRoot()
        guard length > 0 else { return (direction, 0) }
        for j in 0..<d { direction[j] /= length }
        var projections = [Float](repeating: 0, count: C)
        BLAS.multiply(C, d, effects, stride: d, vector: direction, into: &projections)
        let positive = projections.count { $0 > 0 }
        let turns = 2 * positive == C ? projections.reduce(0, +) < 0 : 2 * positive < C
        if turns { for j in 0..<d { direction[j] = -direction[j] } }
        return (direction, Float(value / trace))
    }
}
