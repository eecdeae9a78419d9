import DenseMath
import Foundations
import Lens
import Pipeline
import Safetensors

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

/// The texts of every head, by TextSpan.
struct TextSpans: Artefact {
    struct Head: Sendable, Equatable {
        /// Mean of ‖e − ē‖² over the images, with ‖R‖ = 100.
        var variance: Double
        /// In the order in which they were chosen.
        var texts: [TextSpan.Entry]
        /// Share of the variance along as many texts drawn at random from the pool.
        var explainedByRandomTexts: Double
        /// Share of the variance along as many principal directions: no texts explain more.
        var explainedByPrincipalDirections: Double
        /// Orthonormal rows that span the texts, the random texts and the principal directions; zeros where
        /// there are fewer than were asked for. // [spans, count, d]
        var directions: Tensor
    }

    /// What ``Head/directions`` are of.
    enum Span: Int, CaseIterable, Sendable {
        case texts, randomTexts, principalDirections
    }

    /// All heads, layer by layer.
    var heads: [Head]

    /// Texts asked for of each head.
    var count: Int { heads.first?.directions.shape[1] ?? 0 }

    init(heads: [Head]) { self.heads = heads }

    init(_ stored: StoredArtefact) throws {
        let table = try stored.tensor("directions")
        guard table.shape.count == 4 else {
            throw PipelineError.invalidArtefact(part: "directions", reason: "shape \(table.shape)")
        }
        let directions = Tensor(shape: table.shape, elements: try table.floats())
        let (headCount, count) = (directions.shape[0], directions.shape[2])
        let (texts, explained) = (try stored.tensor("texts"), try stored.tensor("explained"))
        let shares = try stored.tensor("variances")
        guard directions.shape[1] == Span.allCases.count else {
            throw PipelineError.invalidArtefact(part: "directions", reason: "shape \(directions.shape)")
        }
        guard texts.shape == [headCount, count], explained.shape == texts.shape else {
            throw PipelineError.invalidArtefact(part: "texts", reason: "shape \(texts.shape)")
        }
        guard shares.shape == [headCount, 3] else {
            throw PipelineError.invalidArtefact(part: "variances", reason: "shape \(shares.shape)")
        }
        let (rows, values, variances) = (try texts.int32s(), try shares.doubles(), try explained.floats())
        heads = (0..<headCount).map { k in
            Head(
                variance: values[3 * k],
                texts: zip(rows[k * count..<(k + 1) * count], variances[k * count..<(k + 1) * count]).prefix {
                    $0.0 >= 0
                }.map {
                    TextSpan.Entry(text: $0, explainedVariance: $1)
                },
                explainedByRandomTexts: values[3 * k + 1], explainedByPrincipalDirections: values[3 * k + 2],
                directions: Tensor(shape: Array(directions.shape.dropFirst()), elements: Array(directions[row: k])))
        }
    }

    func stored() throws -> StoredArtefact {
        let (count, shape) = (count, heads.first?.directions.shape ?? [Span.allCases.count, 0, 0])
        func filled<Value>(_ values: [Value], with none: Value) -> [Value] {
            values + [Value](repeating: none, count: count - values.count)
        }
        return .tensors([
            "variances": try StoredTensor(
                heads.flatMap { [$0.variance, $0.explainedByRandomTexts, $0.explainedByPrincipalDirections] },
                shape: [heads.count, 3]),
            "texts": try StoredTensor(
                heads.flatMap { filled($0.texts.map(\.text), with: -1) }, shape: [heads.count, count]),
            "explained": try StoredTensor(
                heads.flatMap { filled($0.texts.map(\.explainedVariance), with: 0) }, shape: [heads.count, count]),
            "directions": try StoredTensor(heads.flatMap(\.directions.elements), shape: [heads.count] + shape),
        ])
    }
}

extension TextSpans.Head {
    /// - Parameters:
    ///   - covariance: of the head's effects. // [d, d]
    ///   - texts: unit rows. // [texts, d]
    ///   - random: rows drawn at random.
    ///   - count: texts and principal directions.
    /// - Throws: `FactorisationError` when the covariance is not finite.
    init(covariance: [Double], texts: Tensor, random: [Int], count: Int, rank: Int) throws {
        let d = texts.rowWidth
        variance = (0..<d).reduce(0) { $0 + covariance[$1 * d + $1] }
        let chosen = try TextSpan(covariance: covariance, texts: texts, count: count, rank: rank)
        let drawn = try TextSpan(
            covariance: covariance,
            texts: Tensor(shape: [random.count, d], elements: random.flatMap { texts[row: $0] }),
            count: count, rank: rank)
        var matrix = covariance
        let principal = try Factorisations.largestEigenpairs(&matrix, count: d, keeping: min(count, d))
        self.texts = chosen.entries
        explainedByRandomTexts = Double(drawn.entries.last?.explainedVariance ?? 0)
        explainedByPrincipalDirections = variance > 0 ? principal.values.reduce(0, +) / variance : 0
        let rows = [chosen.directions.elements, drawn.directions.elements, principal.vectors.map(Float.init)]
        directions = Tensor(
            shape: [rows.count, count, d],
            elements: rows.flatMap { $0 + [Float](repeating: 0, count: count * d - $0.count) })
    }
}
