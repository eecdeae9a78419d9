import DenseMath
import Lens
import Pipeline

/// The texts of every head, by TextSpan.
struct TextSpans: Artefact, Codable {
    struct Head: Sendable, Codable {
        /// Mean of ‖e − ē‖² over the images, with ‖R‖ = 100.
        var variance: Double
        /// In the order in which they were chosen.
        var texts: [TextSpan.Entry]
        /// Share of the variance along as many texts drawn at random from the pool.
        var explainedByRandomTexts: Double
        /// Share of the variance along as many principal directions: no texts explain more.
        var explainedByPrincipalDirections: Double
    }

    /// All heads, layer by layer.
    var heads: [Head]
}

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
                kind: "text-spans", version: 1,
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

extension TextSpans.Head {
    /// - Parameters:
    ///   - covariance: of the head's effects. // [d, d]
    ///   - texts: unit rows. // [texts, d]
    ///   - random: rows drawn at random.
    /// - Throws: `FactorisationError` when the covariance is not finite.
    init(covariance: [Double], texts: Tensor, random: [Int], count: Int, rank: Int) throws {
        let d = texts.rowCount
        variance = (0..<d).reduce(0) { $0 + covariance[$1 * d + $1] }
        self.texts = try TextSpan(covariance: covariance, texts: texts, count: count, rank: rank).entries
        let drawn = Tensor(shape: [random.count, d], elements: random.flatMap { texts[row: $0] })
        let span = try TextSpan(covariance: covariance, texts: drawn, count: count, rank: rank)
        explainedByRandomTexts = Double(span.entries.last?.explainedVariance ?? 0)
        var matrix = covariance
        let principal = try Factorisations.largestEigenpairs(&matrix, count: d, keeping: min(count, d)).values
        explainedByPrincipalDirections = variance > 0 ? principal.reduce(0, +) / variance : 0
    }
}
