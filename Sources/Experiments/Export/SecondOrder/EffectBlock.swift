import DenseMath

/// Effects of a chunk of neurons on a few images: Σ_k s_{n,k} M_{n,k} + b. Belongs to one worker.
final class EffectBlock {
    /// // [images, neurons, K]
    let coordinates: FloatBuffer
    /// // [images, d]
    let biasShares: FloatBuffer
    /// After ``multiply(_:)``. // [images, neurons, d]
    let effects: FloatBuffer
    /// // [neurons, K, d]
    private let M: Tensor

    init(_ M: Tensor, capacity: Int) {
        let (J, K, d) = (M.shape[0], M.shape[1], M.shape[2])
        self.M = M
        coordinates = FloatBuffer(capacity * J * K)
        biasShares = FloatBuffer(capacity * d)
        effects = FloatBuffer(capacity * J * d)
    }

    func multiply(_ images: Int) {
        let (J, K, d) = (M.shape[0], M.shape[1], M.shape[2])
        for image in 0..<images {
            for n in 0..<J {
                (effects.base + (image * J + n) * d).update(from: biasShares.base + image * d, count: d)
            }
        }
        M.elements.withUnsafeBufferPointer { M in
            guard let M = M.baseAddress else { return }
            for n in 0..<J {
                BLAS.multiply(
                    images, d, K, coordinates.base + n * K, stride: J * K, M + n * K * d, stride: d, beta: 1,
                    into: effects.base + n * d, stride: J * d)
            }
        }
    }
}
