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
    let sampled: SampledEffects?
    let trust: TrustFindings
    /// All that decides the numbers, by the names that papers' files use.
    var settings: [String: String] = [:]
    /// The paper's Table 1.
    var paper: PaperTable?

    private var rows: MetricBuilder {
        MetricBuilder(MeanAblationExperiment.name, spec.study.setting, settings: settings, isPartial: isPartial)
    }
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
            predicted: (0..<predictions.count).map {
                predictions.labels[predictions.index(image: $0, layer: 0, condition: 0)]
            },
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

    /// How Table 1 stands to the paper's.
    var comparability: String {
        rows.comparability(
            with: paper.map { table in ["indirect", "second-order"].map { table[$0, "accuracy"] } } ?? [],
            ["layer": "\(tableLayer)"])
    }

    /// Neurons of that layer whose effects of both kinds were compared.
    var sampledNeurons: Int { sampled?.layers[tableLayer]?.neurons.count ?? 0 }

    /// Images that they were compared on.
    var sampledImages: Int { min(spec.indirect?.images ?? 0, fitCount) }

    // MARK: Rows

    func metrics() -> [Metric] {
        let tableLayer = tableLayer
        var metrics = baselineControl.metrics(rows, of: trust.evaluation)
        for (position, layer) in layers.enumerated() {
            for (index, condition) in AblationPredictions.conditions.enumerated() where condition != Self.baseline {
                var number: PaperNumber?
                if layer == tableLayer {
                    if condition == AblationCondition.withoutAllNeurons.rawValue {
                        number = paper?["second-order", "accuracy"]
                    }
                    if condition == AblationPredictions.indirect { number = paper?["indirect", "accuracy"] }
                }
                let row = rows.share(
                    "accuracy", ["layer": "\(layer)", "condition": condition],
                    isCorrect(layer: position, condition: index),
                    of: trust.evaluation, paper: number, settings: ["layer": "\(layer)"])
                let hasRun = predictions.hasRun(layer: position, condition: index)
                metrics.append(
                    hasRun ? row : row.without(.notRun, because: "the spec leaves the layer out (indirect-layers)"))
            }
            metrics += directionShares(layer, isTabled: layer == tableLayer)
        }
        return metrics + trust.metrics(rows, evaluated: labels.count)
    }

    /// What the first direction explains of the largest effects: of all neurons' second-order effects, and of both kinds of
    /// the same neurons on the same images.
    private func directionShares(_ layer: Int, isTabled: Bool) -> [Metric] {
        func row(_ effect: EffectKind, _ sample: EffectKind.Sample, _ shares: [Float], note: String) -> Metric {
            let isPapers = isTabled && (effect == .indirect || sample == .all)
            let own = effect == .indirect ? ["effect-sample": "\(shares.count) neurons, \(sampledImages) images"] : [:]
            return rows.mean(
                EffectKind.shareMetric, effect.subject(.largest, layer: layer, sample), shares.map(Double.init),
                of: trust.fit,
                over: "neuron", paper: isPapers ? paper?[effect.rawValue, EffectKind.shareMetric] : nil,
                settings: ["layer": "\(layer)"].merging(own) { $1 }, note: note)
        }
        let found = sampled?.layers[layer]
        return [
            row(
                .secondOrder, .all, directions.layers[layer]?.directions.shares ?? [],
                note: "all neurons, the \(spec.study.significantImages) largest of \(fitCount) fit images")
        ]
            + EffectKind.allCases.map { effect in
                let shares = (effect == .indirect ? found?.indirect : found?.secondOrder)?.directions.shares ?? []
                let metric = row(
                    effect, .equal, shares,
                    note:
                        "\(shares.count) neurons chosen at random, the \(min(spec.study.significantImages, sampledImages)) largest of \(sampledImages) fit images"
                )
                return shares.isEmpty
                    ? metric.without(.notRun, because: "the spec samples no neurons (indirect-sample)") : metric
            }
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
            guard let interval = bootstrap.interval(ofMean: excess), interval.lower > Self.randomNeuronTolerance else {
                return nil
            }
            return .randomNeuronsMatterMore(layer: layers[position], excess: excess.mean)
        }
    }
}
