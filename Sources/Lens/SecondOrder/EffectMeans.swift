import DenseMath

/// Means over the fit set of everything that mean-ablation of one layer needs.
public struct EffectMeans: Sendable, Equatable {
    /// s̄_{n,k}. // [N, K]
    public var coordinates: Tensor
    /// b̄. // [d]
    public var biasShare: [Float]
    /// Σ_n φ̄_n. // [d]
    public var total: [Float]
    /// p̄_i^n. // [T, N]
    public var activations: Tensor

    public init(coordinates: Tensor, biasShare: [Float], total: [Float], activations: Tensor) {
        self.coordinates = coordinates
        self.biasShare = biasShare
        self.total = total
        self.activations = activations
    }
}

/// Sums over one shard of images, from which means are made. Belongs to one worker.
public final class EffectSums {
    public let lens: SecondOrderLens
    public private(set) var images = 0
    /// // [N, K]
    public let coordinates: FloatBuffer
    /// // [d]
    public let biasShare: FloatBuffer
    /// // [d]
    public let total: FloatBuffer
    /// // [T, N]
    public let activations: FloatBuffer
    private let batchBias: FloatBuffer
    private let batchTotal: FloatBuffer

    public init(_ lens: SecondOrderLens, tokens: Int, capacity: Int) {
        self.lens = lens
        coordinates = FloatBuffer(lens.neurons * lens.headCount)
        biasShare = FloatBuffer(lens.embeddingWidth)
        total = FloatBuffer(lens.embeddingWidth)
        activations = FloatBuffer(tokens * lens.neurons)
        batchBias = FloatBuffer(capacity * lens.embeddingWidth)
        batchTotal = FloatBuffer(capacity * lens.embeddingWidth)
    }

    /// Adds a batch.
    public func add(_ pass: EffectPass) {
        let d = lens.embeddingWidth
        pass.addCoordinateSums(lens, to: coordinates.base)
        pass.biasShares(lens, into: batchBias.base)
        pass.totalEffects(lens, biasShares: batchBias.base, into: batchTotal.base)
        let perImage = pass.capture(lens.layer)[.activations]
        for image in 0..<pass.batch {
            BLAS.add(1, batchBias.base + image * d, to: biasShare.base, count: d)
            BLAS.add(1, batchTotal.base + image * d, to: total.base, count: d)
            BLAS.add(1, perImage + image * activations.count, to: activations.base, count: activations.count)
        }
        images += pass.batch
    }

    /// Starts a new shard.
    public func reset() {
        for buffer in [coordinates, biasShare, total, activations] {
            buffer.base.update(repeating: 0, count: buffer.count)
        }
        images = 0
    }
}
