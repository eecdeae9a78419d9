import DenseMath
import Lens
import Pipeline

/// Numbers of the mean-ablation experiment: accuracies with intervals, shares, controls.
struct MeanAblationMeasures {
    let spec: MeanAblationSpec
    let layers: [Int]
    let classNames: [String]
    let fitCount: Int
    let isPartial: Bool
    /// Class of each evaluation image.
    let labels: [Int32]
    var predictions: AblationPredictions
    let directions: FittedDirections
    /// Nil where the spec samples no neurons.
    let indirect: IndirectDirections?
    let trust: TrustFindings

    private var rows: RowMaker { RowMaker(MeanAblationExperiment.name, spec.study, isPartial: isPartial) }
    private static let baseline = AblationCondition.baseline.rawValue

    // MARK: Per image

    /// Whether each image is classified correctly.
    private func isCorrect(layer: Int, condition: Int) -> [Bool] {
        (0..<predictions.count).map {
            predictions.labels[predictions.index(image: $0, layer: layer, condition: condition)] == labels[$0]
        }
    }

    /// The untouched model as a control.
    private var baselineControl: BaselineControl {
        BaselineControl(
            labels: labels,
            predicted: (0..<predictions.count).map { predictions.labels[predictions.index(image: $0, layer: 0, condition: 0)] },
            floor: spec.controls.accuracyFloor, seed: spec.study.seed)
    }

    private func accuracy(layer: Int, condition: Int) -> Double {
        isCorrect(layer: layer, condition: condition).map { $0 ? 1.0 : 0 }.mean
    }

    /// The layer of Table 1: the spec's, or the one without whose neurons accuracy is lowest, as the paper's layer 9.
    var tableLayer: Int {
        if let layer = spec.tableLayer { return layer }
        let all = AblationPredictions.conditions.firstIndex(of: AblationCondition.withoutAllNeurons.rawValue) ?? 0
        let accuracies = layers.indices.map { accuracy(layer: $0, condition: all) }
        return layers[accuracies.indices.min { accuracies[$0] < accuracies[$1] } ?? 0]
    }

    private func isPapersSetting(_ layer: Int) -> Bool {
        layer == PaperValues.Table1.layer && trust.evaluation.dataset == PaperValues.Table1.dataset
    }

    /// How Table 1 stands to the paper's.
    var standing: String {
        rows.standing(of: trust.evaluation, isPapersSetting: isPapersSetting(tableLayer))
    }

    /// Neurons of that layer whose indirect effects were decomposed.
    var sampledNeurons: Int { indirect?.layers[tableLayer]?.neurons.count ?? 0 }

    // MARK: Rows

    func metrics() -> [Metric] {
        let tableLayer = tableLayer
        var metrics = baselineControl.metrics(rows, of: trust.evaluation)
        for (position, layer) in layers.enumerated() {
            for (index, condition) in AblationPredictions.conditions.enumerated() where condition != Self.baseline {
                var paper: Metric.PaperValue?
                if layer == tableLayer {
                    if condition == AblationCondition.withoutAllNeurons.rawValue { paper = PaperValues.Table1.secondOrderAccuracy }
                    if condition == AblationPredictions.indirect { paper = PaperValues.Table1.indirectAccuracy }
                }
                let row = rows.share(
                    "accuracy", ["layer": "\(layer)", "condition": condition], isCorrect(layer: position, condition: index),
                    of: trust.evaluation, paper: paper, isPapersSetting: isPapersSetting(layer))
                let hasRun = predictions.hasRun(layer: position, condition: index)
                metrics.append(
                    hasRun ? row : row.without(.notRun, because: "the spec leaves the layer out (indirect-layers)"))
            }
            metrics.append(significantShare(position, layer))
            metrics += explainedVariance(layer, isTabled: layer == tableLayer)
        }
        return metrics + trust.metrics(rows, evaluated: labels.count)
    }

    /// Share of images for which a neuron is significant, averaged over the layer's neurons.
    private func significantShare(_ position: Int, _ layer: Int) -> Metric {
        let neurons = Double(directions.layers[layer]?.thresholds.count ?? 0)
        let shares = (0..<predictions.count).map {
            Double(predictions.significant[$0 * predictions.layers.count + position]) / neurons
        }
        return rows.mean("significant-share", ["layer": "\(layer)"], shares, of: trust.evaluation)
    }

    private func explainedVariance(_ layer: Int, isTabled: Bool) -> [Metric] {
        func row(_ effect: String, _ shares: [Float], _ paper: Metric.PaperValue, note: String) -> Metric {
            rows.mean(
                "explained-variance-pc1", ["layer": "\(layer)", "effect": effect], shares.map(Double.init), of: trust.fit,
                over: "neuron", paper: isTabled ? paper : nil, isPapersSetting: isPapersSetting(layer), note: note)
        }
        let sampled = indirect?.layers[layer]?.directions.explainedVariance ?? []
        let indirectRow = row(
            "indirect", sampled, PaperValues.Table1.indirectExplainedVariance,
            note: "\(sampled.count) neurons chosen at random, \(spec.indirect?.images ?? 0) fit images")
        return [
            row(
                "second-order", directions.layers[layer]?.directions.explainedVariance ?? [],
                PaperValues.Table1.secondOrderExplainedVariance, note: "all neurons, \(fitCount) fit images"),
            sampled.isEmpty ? indirectRow.without(.notRun, because: "the spec samples no neurons (indirect-sample)") : indirectRow,
        ]
    }

    // MARK: Predictions

    /// What was said about every image: once for the baseline, then by layer and condition.
    func predictionSets() -> [PredictionSet] {
        var sets = [predictionSet(["condition": Self.baseline], layer: 0, condition: 0)]
        for (position, layer) in layers.enumerated() {
            for (index, condition) in AblationPredictions.conditions.enumerated()
            where condition != Self.baseline && predictions.hasRun(layer: position, condition: index) {
                sets.append(
                    predictionSet(["layer": "\(layer)", "condition": condition], layer: position, condition: index))
            }
        }
        return sets
    }

    private func predictionSet(_ subject: Subject, layer: Int, condition: Int) -> PredictionSet {
        PredictionSet(
            experiment: MeanAblationExperiment.name, condition: subject,
            predictions: (0..<predictions.count).map { image in
                let index = predictions.index(image: image, layer: layer, condition: condition)
                return Prediction(
                    imageID: trust.evaluation.imageID(image), label: classNames[Int(labels[image])],
                    prediction: classNames[Int(predictions.labels[index])],
                    margin: Double(predictions.margins[index]))
            })
    }

    // MARK: Controls

    /// What speaks against believing the numbers.
    func failedControls() -> [FailedControl] {
        baselineControl.failedControls() + randomNeuronFailures() + trust.failedControls()
    }

    /// What random neurons may cost more than the chosen ones without a doubt about the choice: where
    /// neither matters, one may come out a little ahead of the other.
    static let randomNeuronTolerance = 0.01

    /// Random neurons in place of the chosen ones must not matter more. One doubt in twenty for all layers together.
    private func randomNeuronFailures() -> [FailedControl] {
        let conditions = AblationPredictions.conditions
        guard let chosen = conditions.firstIndex(of: AblationCondition.withoutLargeNorms.rawValue),
            let random = conditions.firstIndex(of: AblationCondition.withoutRandomNeurons.rawValue)
        else { return [] }
        var bootstrap = rows.bootstrap()
        bootstrap.level = 1 - 0.1 / Double(layers.count)  // one-sided
        return layers.indices.compactMap { position in
            let without = isCorrect(layer: position, condition: chosen)
            let withoutRandom = isCorrect(layer: position, condition: random)
            let excess = zip(without, withoutRandom).map { ($0 ? 1.0 : 0) - ($1 ? 1.0 : 0) }
            guard let interval = bootstrap.interval(ofMean: excess), interval.lower > Self.randomNeuronTolerance else { return nil }
            return .randomNeuronsMatterMore(layer: layers[position], excess: excess.mean)
        }
    }
}
