import DenseMath

/// The effects of one neuron on some images, less their mean over these images, and what is said of them.
public struct NeuronEffectTable: Sendable {
    public let images: Int
    public let width: Int
    /// φ_n − φ̄_n. // [images, width]
    public let centred: [Float]
    /// ‖φ_n − φ̄_n‖². // [images]
    private let squares: [Double]

    /// - Parameter effects: an image a row. // [images, width]
    public init(_ effects: [Float], width d: Int) {
        let images = effects.count / d
        var centred = effects
        for j in 0..<d {
            let mean = (0..<images).reduce(0) { $0 + Double(effects[$1 * d + j]) } / Double(max(images, 1))
            for image in 0..<images { centred[image * d + j] -= Float(mean) }
        }
        self.init(centred: centred, width: d)
    }

    private init(centred: [Float], width d: Int) {
        (images, width, self.centred) = (centred.count / d, d, centred)
        squares = (0..<images).map { image in
            centred[image * d..<(image + 1) * d].reduce(0) { $0 + Double($1) * Double($1) }
        }
    }

    /// Of the images with the largest effects.
    /// - Parameter count: how many, at least one; all, where there are fewer.
    /// - Throws: `FactorisationError` when effects are not finite.
    public func principalDirection(keeping count: Int) throws -> PrincipalDirection {
        var heap = BoundedHeap(capacity: count)
        for (image, square) in squares.enumerated() {
            _ = heap.insert(.init(score: Float(square), index: Int32(image)))
        }
        let rows = heap.sorted().flatMap { centred[Int($0.index) * width..<(Int($0.index) + 1) * width] }
        return try PrincipalDirection(of: rows, count: rows.count / width, width: width)
    }

    /// The share along a unit vector of Σ‖φ_n − φ̄_n‖² over *all* images, 0…1; 0 where there are no effects.
    public func share(along direction: [Float]) -> Double {
        let total = squares.reduce(0, +)
        guard total > 0 else { return 0 }
        var projections = [Float](repeating: 0, count: images)
        BLAS.multiply(images, width, centred, stride: width, vector: direction, into: &projections)
        return projections.reduce(0) { $0 + Double($1) * Double($1) } / total
    }

    /// The smallest share of the images that together hold a share of Σ‖φ_n − φ̄_n‖², 0…1: small for a neuron whose
    /// effects are rare and large. NaN where there are no effects.
    public func imagesHolding(_ share: Double) -> Double {
        let total = squares.reduce(0, +)
        guard total > 0 else { return .nan }
        var (sum, count) = (0.0, 0)
        for square in squares.sorted(by: >) where sum < share * total {
            sum += square
            count += 1
        }
        return Double(count) / Double(images)
    }

    /// As many effects as there are images, drawn from the Gaussian with the same covariance: what ``imagesHolding(_:)`` is
    /// for effects of the same size and shape that are no rarer than chance makes them.
    ///
    /// A sum of all rows with independent standard normal weights, over the square root of their number, has just that
    /// covariance, so that it is never written down.
    /// - Parameter weights: standard normal numbers, of each neuron others. // [images, images]
    public func gaussian(_ weights: Tensor) -> NeuronEffectTable {
        precondition(weights.shape == [images, images], "weights of shape \(weights.shape) for \(images) images")
        var drawn = [Float](repeating: 0, count: images * width)
        BLAS.multiply(
            images, width, images, alpha: 1 / Float(images).squareRoot(), weights.elements, stride: images, centred,
            stride: width,
            into: &drawn, stride: width)
        return NeuronEffectTable(centred: drawn, width: width)
    }
}
