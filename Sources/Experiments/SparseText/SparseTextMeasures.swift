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
    let pools: [TextPool]
    let texts: [FittedSparseTexts]
    let predictions: ConditionPredictions
    /// What mean-ablation says of the same images: baseline, without all neurons, from PC #1.
    let references: AblationPredictions
    let faithfulness: [Faithfulness]
    let trust: TrustFindings

    var conditions: SparseConditions { SparseConditions(layers: layers, pools: spec.pools.map(\.name), sizes: spec.sizes) }
    private var rows: RowMaker { RowMaker(SparseTextExperiment.name, spec.study, isPartial: isPartial) }

    static let referenceConditions: [AblationCondition] = [.withoutAllNeurons, .reconstructionFromPC1]

    private func reference(_ condition: AblationCondition, layer: Int) -> [Int32] {
        let index = AblationPredictions.conditions.firstIndex(of: condition.rawValue) ?? 0
        return (0..<references.count).map { references.labels[references.index(image: $0, layer: layer, condition: index)] }
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
            for pool in spec.pools.indices {
                for size in spec.sizes.indices {
                    metrics += self.metrics(layer: position, pool: pool, size: size)
                }
            }
        }
        return metrics + trust.metrics(rows, evaluated: labels.count)
    }

    private func metrics(layer position: Int, pool: Int, size: Int) -> [Metric] {
        let subject = conditions.subject(layer: position, pool: pool, size: size)
        var metrics = [
            rows.share(
                "accuracy", subject,
                predictions.isCorrect(conditions.index(layer: position, pool: pool, size: size), labels), of: trust.evaluation),
            rows.mean(
                "text-explains-direction", subject, textShares(layer: layers[position], pool: pool, size: size),
                of: trust.fit, over: "neuron", note: "1 − ‖r − r̂‖², mean over neurons"),
        ]
        guard let scores = faithfulness[pool].layers[layers[position]] else { return metrics }
        for (name, values) in [("faithfulness", scores.own), ("faithfulness-shuffled", scores.shuffled)] {
            metrics.append(
                rows.mean(
                    name, subject, values[row: size].map(Double.init), of: trust.evaluation, over: "neuron", unit: "correlation",
                    note: heldOutNote))
        }
        return metrics
    }

    private var heldOutNote: String { "Spearman's correlation over the first \(heldOut) images; interval over neurons" }

    /// The directions as they are: what their descriptions can be measured by. The same with every pool.
    private func directionMetrics(layer: Int) -> [Metric] {
        guard let scores = faithfulness.first?.layers[layer] else { return [] }
        return [("faithfulness", scores.direction), ("faithfulness-shuffled", scores.directionShuffled)].map { name, values in
            rows.mean(
                name, Self.directionSubject(layer), values.map(Double.init), of: trust.evaluation, over: "neuron",
                unit: "correlation", note: heldOutNote)
        }
    }

    static func directionSubject(_ layer: Int) -> Subject { ["layer": "\(layer)", "description": "the direction itself"] }

    /// Share of each unit direction that its phrases make up: 1 − ‖r_n − r̂_n‖².
    func textShares(layer: Int, pool: Int, size: Int) -> [Double] {
        guard let codes = texts[pool].layers[layer], let r = directions.layers[layer]?.directions.directions else { return [] }
        let written = codes.reconstructions(size, dictionary: pools[pool].dictionary)
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
            spec.pools.indices.flatMap { pool in
                spec.sizes.indices.map { size in
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
