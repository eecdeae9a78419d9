import DenseMath
import Lens

/// Fits r_n to the centred effects of the images on which they are largest. Belongs to one worker.
final class DirectionFitter {
    private let stored: StoredCoordinates
    /// b̄. // [d]
    private let meanBias: [Float]
    /// δs. // [C, K]
    private var coordinates: [Float]
    /// Centred effects. // [C, d]
    private var effects: [Float]

    /// - Parameter count: C.
    init(stored: StoredCoordinates, meanBias: [Float], count: Int) {
        self.stored = stored
        self.meanBias = meanBias
        coordinates = [Float](repeating: 0, count: count * stored.lens.headCount)
        effects = [Float](repeating: 0, count: count * stored.lens.embeddingWidth)
    }

    /// - Parameters:
    ///   - place: of the neuron among those that are stored.
    ///   - means: s̄_n. // [K]
    ///   - M: M_n. // [K, d]
    /// - Throws: `LensError.factorisation`, `OutputError`.
    func fit(
        place: Int, images: [Int], means: ArraySlice<Float>, M: ArraySlice<Float>
    ) throws -> PrincipalDirection {
        let (K, d) = (stored.lens.headCount, stored.lens.embeddingWidth)
        let centre = Array(means)
        for (row, image) in images.enumerated() {
            try coordinates.withUnsafeMutableBufferPointer { coordinates in
                guard let base = coordinates.baseAddress else { return }
                try stored.coordinates.read(base + row * K, row: image, columns: place * K..<(place + 1) * K)
            }
            try effects.withUnsafeMutableBufferPointer { effects in
                guard let base = effects.baseAddress else { return }
                try stored.biasShares.read(base + row * d, row: image, columns: 0..<d)
            }
        }
        RowKernels.subtract(row: centre, from: &coordinates, rows: images.count, columns: K)
        RowKernels.subtract(row: meanBias, from: &effects, rows: images.count, columns: d)
        M.withUnsafeBufferPointer { M in
            guard let M = M.baseAddress else { return }
            BLAS.multiply(images.count, d, K, coordinates, stride: K, M, stride: d, beta: 1, into: &effects, stride: d)
        }
        do {
            return try PrincipalDirection(of: effects, count: images.count, width: d)
        } catch let error as FactorisationError {
            throw LensError.factorisation(layer: stored.lens.layer, neuron: stored.neurons[place], error)
        }
    }
}
