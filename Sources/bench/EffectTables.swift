import DenseMath
import Lens

/// What the centred effects of some layers are made with; all workers read it.
struct EffectTables {
    let lenses: [SecondOrderLens]
    let factors: [Tensor]
    let means: [EffectMeans]

    /// The centred effects of each layer, with memory of a worker's own.
    func effects(capacity: Int) -> [CentredEffects] {
        let scratch = EffectScratch(lenses, capacity: capacity)
        return lenses.indices.map {
            CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], scratch: scratch)
        }
    }
}
