import DenseMath

/// R − Σ_n (φ_n − φ̄_n) over all neurons of a layer, with no work for any single one. Belongs to one worker.
public final class MeanAblatedRepresentations {
    private let lens: SecondOrderLens
    private let means: EffectMeans
    /// After ``update(_:_:)``. // [batch, d]
    public let representations: FloatBuffer

    public init(_ lens: SecondOrderLens, means: EffectMeans, capacity: Int) {
        self.lens = lens
        self.means = means
        representations = FloatBuffer(capacity * lens.embeddingWidth)
    }

    /// Evaluates a batch, with which `effects` was updated.
    public func update(_ pass: EffectPass, _ effects: CentredEffects) {
        let scratch = effects.scratch
        pass.mixOutputs(lens, into: scratch.mixed.base, rows: pass.batch)
        lens.carry(scratch.mixed.base, rows: pass.batch, scratch: scratch.values.base, into: scratch.carried.base)
        update(pass, effects, carried: scratch.carried.base)
    }

    /// The same with what the heads carry of the MLP's outputs at hand, see ``EffectPass/mixOutputs(_:into:rows:)``. // [batch, d]
    func update(_ pass: EffectPass, _ effects: CentredEffects, carried: UnsafePointer<Float>) {
        let d = lens.embeddingWidth
        let representations = representations.base
        representations.update(from: pass.representations, count: pass.batch * d)
        BLAS.add(-1, carried, to: representations, count: pass.batch * d)
        BLAS.add(-Float(lens.neurons), effects.rawBiasShares.base, to: representations, count: pass.batch * d)
        for image in 0..<pass.batch { BLAS.add(1, means.total, to: representations + image * d, count: d) }
    }
}
