import DenseMath
import Lens
import Pipeline

/// Numbers of the sparse-text experiment.
struct SparseTextMeasures {
    let spec: SparseTextSpec
    let layers: [Int]
    let classNames: [String]
    let isPartial: Bool
    /// Images that faithfulness was measured on.
    let heldOut: Int
    let labels: [Int32]
    let directions: FittedDirections
    /// A pool and what it says of the neurons.
    struct Texts: Sendable {
        let name: String
        let pool: TextPool
        let codes: FittedSparseTexts
        let faithfulness: Faithfulness
        let sizes: [Int]
    }

    /// Descriptions by the spec's pools, then by the random dictionaries in their place.
    let texts: [Texts]
    let predictions: ConditionPredictions
    /// What mean-ablation says of the same images: baseline, without all neurons, from PC #1.
    let references: AblationPredictions
    let similarities: PhraseSimilarities
    let trust: TrustFindings

    var conditions: SparseConditions {
        SparseConditions(layers: layers, pools: texts.map { .init(name: $0.name, sizes: $0.sizes) })
    }
    private var rows: MetricBuilder {
        MetricBuilder(SparseTextExperiment.name, spec.study.setting, isPartial: isPartial)
    }

    /// The place of the random dictionary that stands for a pool.
    func control(of pool: Int) -> Int { spec.pools.count + pool }

    static let referenceConditions: [AblationCondition] = [.withoutAllNeurons, .reconstructionFromPC1]

    private func reference(_ condition: AblationCondition, layer: Int) -> [Int32] {
        let index = AblationPredictions.conditions.firstIndex(of: condition.rawValue) ?? 0
        return (0..<references.count).map {
            references.labels[references.index(image: $0, layer: layer, condition: index)]
        }
    }

    private var baseline: BaselineControl {
        BaselineControl(
            labels: labels, predicted: reference(.baseline, layer: 0),
            floor: spec.controls.accuracyFloor, seed: spec.study.seed)
    }

    func metrics() -> [Metric] {
        var metrics = baseline.metrics(rows, of: trust.evaluation)
        for (position, layer) in layers.enumerated() {
            for condition in Self.referenceConditions {
                metrics.append(
                    rows.share(
                        "accuracy", ["layer": "\(layer)", "condition": condition.rawValue],
                        zip(reference(condition, layer: position), labels).map { $0 == $1 }, of: trust.evaluation))
            }
            metrics += directionMetrics(layer: layer)
            for pool in texts.indices {
                for size in texts[pool].sizes.indices {
                    metrics += self.metrics(layer: position, pool: pool, size: size)
                }
            }
            for pool in spec.pools.indices { metrics += differences(layer: position, pool: pool) }
            metrics += similarityMetrics(layer: layer)
        }
        return metrics + trust.metrics(rows, evaluated: labels.count)
    }

    private func metrics(layer position: Int, pool: Int, size: Int) -> [Metric] {
        let subject = conditions.subject(layer: position, pool: pool, size: size)
        var metrics = [
            rows.share(
                "accuracy", subject,
                predictions.isCorrect(conditions.index(layer: position, pool: pool, size: size), labels),
                of: trust.evaluation),
            rows.mean(
                "text-explains-direction", subject, textShares(layer: layers[position], pool: pool, size: size),
                of: trust.fit, over: "neuron", note: "1 − ‖r − r̂‖², mean over neurons"),
        ]
        guard let scores = texts[pool].faithfulness.layers[layers[position]] else { return metrics }
        for (name, values) in [("faithfulness", scores.own), ("faithfulness-shuffled", scores.shuffled)] {
            metrics.append(
                rows.mean(
                    name, subject, values[row: size].map(Double.init), of: trust.evaluation, over: "neuron",
                    unit: "correlation",
                    note: heldOutNote))
        }
        return metrics
    }

    /// What the phrases of a pool do better than random vectors: of the same images, and of the same neurons.
    private func differences(layer position: Int, pool: Int) -> [Metric] {
        let (control, size, layer) = (control(of: pool), spec.description.size, layers[position])
        func right(_ pool: Int, _ size: Int) -> [Bool] {
            predictions.isCorrect(conditions.index(layer: position, pool: pool, size: size), labels)
        }
        func difference(_ values: [Double], _ others: [Double]) -> [Double] { zip(values, others).map { $0 - $1 } }
        let subject = conditions.subject(layer: position, pool: pool, size: size)
        let note = "less the same of a random dictionary of the same size and covariance"
        var metrics = [
            rows.mean(
                "accuracy-over-random", subject,
                zip(right(pool, size), right(control, 0)).map { ($0 ? 1 : 0) - ($1 ? 1 : 0) },
                of: trust.evaluation, note: note),
            rows.mean(
                "text-explains-direction-over-random", subject,
                difference(
                    textShares(layer: layer, pool: pool, size: size), textShares(layer: layer, pool: control, size: 0)),
                of: trust.fit, over: "neuron", note: note),
        ]
        if let own = texts[pool].faithfulness.layers[layer], let other = texts[control].faithfulness.layers[layer] {
            metrics.append(
                rows.mean(
                    "faithfulness-over-random", subject,
                    difference(own.own[row: size].map(Double.init), other.own[row: 0].map(Double.init)),
                    of: trust.evaluation,
                    over: "neuron", unit: "correlation", note: note))
        }
        return metrics
    }

    static func similaritySubject(_ layer: Int, _ of: String) -> Subject { ["layer": "\(layer)", "phrases": of] }

    /// How alike the phrases are that a neuron speaks for, beside random directions described likewise and random phrases.
    private func similarityMetrics(layer: Int) -> [Metric] {
        guard let found = similarities.layers[layer] else { return [] }
        func mean(_ of: String, _ values: [Float], note: String) -> Metric {
            let finite = values.filter(\.isFinite).map(Double.init)
            let metric = rows.mean(
                "phrase-similarity", Self.similaritySubject(layer, of), finite, of: trust.fit, over: "neuron",
                unit: "cosine",
                higherIsBetter: false, note: note)
            return finite.isEmpty
                ? metric.without(.notRun, because: "no neuron has two phrases that it speaks for") : metric
        }
        let described =
            "mean over pairs of the \(PhraseSimilarityStep.phrases) longest parts with a positive sign, texts less the pool's mean"
        return [
            mean("of a neuron", found.neurons, note: described),
            mean("of a random direction", found.randomDirections, note: described),
            rows.metric(
                "phrase-similarity", Self.similaritySubject(layer, "of the pool"), similarities.randomPhrases,
                of: trust.fit,
                n: texts[spec.description.pool].pool.phrases.count, unit: "cosine", higherIsBetter: false,
                interval: .init(
                    lower: similarities.randomPhrases, upper: similarities.randomPhrases, level: 0.95,
                    method: "all pairs", resamplingUnit: "pair"),
                note: "mean over all pairs"),
        ]
    }

    private var heldOutNote: String { "Spearman's correlation over the first \(heldOut) images; interval over neurons" }

    /// The directions as they are: what their descriptions can be measured by. The same with every pool.
    private func directionMetrics(layer: Int) -> [Metric] {
        guard let scores = texts.first?.faithfulness.layers[layer] else { return [] }
        return [("faithfulness", scores.direction), ("faithfulness-shuffled", scores.directionShuffled)].map {
            name, values in
            rows.mean(
                name, Self.directionSubject(layer), values.map(Double.init), of: trust.evaluation, over: "neuron",
                unit: "correlation", note: heldOutNote)
        }
    }

    static func directionSubject(_ layer: Int) -> Subject {
        ["layer": "\(layer)", "description": "the direction itself"]
    }

    /// Share of each unit direction that its phrases make up: 1 − ‖r_n − r̂_n‖².
    func textShares(layer: Int, pool: Int, size: Int) -> [Double] {
        guard let codes = texts[pool].codes.layers[layer], let r = directions.layers[layer]?.directions.directions
        else { return [] }
        let written = codes.reconstructions(size, dictionary: texts[pool].pool.dictionary)
        return (0..<codes.count).map { n in
            let (whole, missing) = zip(r[row: n], written[row: n]).reduce((0.0, 0.0)) { sums, pair in
                let difference = Double(pair.0 - pair.1)
                return (sums.0 + Double(pair.0) * Double(pair.0), sums.1 + difference * difference)
            }
            return whole > 0 ? 1 - missing / whole : 0
        }
    }

    func predictionSets() -> [PredictionSet] {
        layers.indices.flatMap { layer in
            texts.indices.flatMap { pool in
                texts[pool].sizes.indices.map { size in
                    predictions.set(
                        conditions.index(layer: layer, pool: pool, size: size),
                        conditions.subject(layer: layer, pool: pool, size: size), experiment: SparseTextExperiment.name,
                        images: trust.evaluation, truth: labels, classNames: classNames)
                }
            }
        }
    }

    func failedControls() -> [FailedControl] { baseline.failedControls() + trust.failedControls() }
}
