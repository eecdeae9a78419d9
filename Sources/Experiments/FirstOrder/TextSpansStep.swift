import DenseMath
import Foundations
import Lens
import Pipeline

/// Chooses the texts of every head.
struct TextSpansStep: StepDefinition {
    let model: StudyModel
    let effects: StepHandle<FittedDirectEffects>
    let pool: StepHandle<StoredTextPool>
    /// Texts a head.
    let count: Int
    /// Leading directions of each head's effects onto which texts are projected.
    let rank: Int
    let seed: Int

    /// Heads whose covariances, d² numbers each, share a worker's turn.
    private static let headsPerShard = 8

    func step() throws -> Step<TextSpans> {
        let vision = model.configuration.vision
        return Step(
            kind: "text-spans", version: 2,
            parameters: ["count": .integer(count), "rank": .integer(rank), "seed": .integer(seed)],
            inputs: [effects.erased, pool.erased], digests: ["model": model.digest],
            work: try .map(
                units: vision.layers * vision.heads, unitsPerShard: Self.headsPerShard,
                makeWorker: { inputs in
                    let (moments, texts) = (try inputs[effects].moments, try inputs[pool].pool.embeddings)
                    let paths = try model.paths.value()
                    return { shard in
                        TextSpans(
                            heads: try shard.units.map { k in
                                try inputs.checkCancellation()
                                var random = SplitMix64(seed: UInt64(seed), label: "random texts", index: UInt64(k))
                                return try TextSpans.Head(
                                    covariance: moments.covariance(of: k, paths), texts: texts,
                                    random: random.sample(count, of: texts.shape[0]), count: count, rank: rank)
                            })
                    }
                },
                reduce: { _, parts in
                    var all = TextSpans(heads: [])
                    try parts.forEach { _, part in all.heads += part.heads }
                    return all
                }))
    }
}
