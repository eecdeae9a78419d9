import DenseMath

/// R − Σ_n (φ_n − φ̄_n) over all neurons of a layer, with no work for any single one. Belongs to one worker.
public final class MeanAblatedRepresentations {
    private let lens: SecondOrderLens
    private let means: EffectMeans
    /// After ``update(_:_:)``. // [batch, d]
    public let representations: FloatBuffer
    private let total: FloatBuffer

    public init(_ lens: SecondOrderLens, means: EffectMeans, capacity: Int) {
        self.lens = lens
        self.means = means
        representations = FloatBuffer(capacity * lens.embeddingWidth)
        total = FloatBuffer(capacity * lens.embeddingWidth)
    }

    /// Evaluates the batch that `pass` has just run and `effects` was updated with.
    public func update(_ pass: EffectPass, _ effects: CentredEffects) {
        let d = lens.embeddingWidth
        pass.totalEffects(lens, biasShares: effects.rawBiasShares.base, into: total.base)
        RowKernels.subtract(row: means.total, from: total.base, rows: pass.batch, columns: d)
        representations.base.update(from: pass.representations.base, count: pass.batch * d)
        BLAS.add(-1, total.base, to: representations.base, count: pass.batch * d)
    }
}
