import Lens

/// What a mean-ablation of some layers reads; all workers read it.
struct AblationTables {
    let effects: EffectTables
    let thresholds: [[Float]]
    let readings: [DirectionReadings]

    /// The mean-ablation of each layer, with memory of a worker's own.
    func ablations(capacity: Int) -> [MeanAblation] {
        effects.effects(capacity: capacity).enumerated().map { layer, centred in
            MeanAblation(
                centred, means: effects.means[layer], thresholds: thresholds[layer], readings: readings[layer],
                capacity: capacity)
        }
    }
}
