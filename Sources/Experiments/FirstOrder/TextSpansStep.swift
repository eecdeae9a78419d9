import DenseMath
import Lens
import Pipeline

enum TextSpansStep {
    /// Heads whose covariances, d² numbers each, share a worker's turn.
    private static let headsPerShard = 8

    /// - Parameters:
    ///   - count: texts a head.
    ///   - rank: leading directions of each head's effects onto which texts are projected.
    static func add(
        _ study: Study, effects: StepHandle<FittedDirectEffects>, pool: StepHandle<StoredTextPool>, count: Int, rank: Int,
        in graph: inout Graph
    ) throws -> StepHandle<TextSpans> {
        let (model, seed) = (study.model, study.spec.seed)
        let heads = model.configuration.vision.layers * model.configuration.vision.heads
        return try graph.add(
            Step(
                kind: "text-spans", version: 2,
                parameters: ["count": .integer(count), "rank": .integer(rank), "seed": .integer(seed)],
                inputs: [effects.erased, pool.erased], digests: ["model": model.digest],
                work: .map(
                    units: heads, unitsPerShard: headsPerShard,
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
                    reduce: { _, shards in
                        var all = TextSpans(heads: [])
                        try shards.forEach { _, part in all.heads += part.heads }
                        return all
                    })))
    }
}
