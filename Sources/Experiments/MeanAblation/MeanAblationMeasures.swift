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
    let indirect: IndirectExplainedVariance
    let decomposition: StoredDecomposition
    let overlap: StoredOverlap

    private var bootstrap: Bootstrap { Bootstrap(seed: UInt64(spec.seed)) }
    private static let baseline = AblationCondition.baseline.rawValue

    /// Identities hold to rounding; a hundredfold of that is a bug.
    static let identityTolerance = 1e-3

    // MARK: Per image

    /// Whether each image is classified correctly.
    private func isCorrect(layer: Int, condition: Int) -> [Bool] {
        (0..<predictions.count).map {
            predictions.labels[predictions.index(image: $0, layer: layer, condition: condition)] == labels[$0]
        }
    }

    /// The same against labels that were dealt out anew.
    private func isCorrectShuffled() -> [Bool] {
        var random = SplitMix64(seed: UInt64(spec.seed), label: "shuffled labels", index: 0)
        let order = random.permutation(predictions.count)
        return (0..<predictions.count).map {
            predictions.labels[predictions.index(image: $0, layer: 0, condition: 0)] == labels[order[$0]]
        }
    }

    private func accuracy(layer: Int, condition: Int) -> Double {
        mean(isCorrect(layer: layer, condition: condition).map { $0 ? 1 : 0 })
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

    /// The layer without whose neurons accuracy is lowest: the paper's layer 9.
    var strongestLayer: Int {
        let all = AblationPredictions.conditions.firstIndex(of: AblationCondition.withoutAllNeurons.rawValue) ?? 0
        let accuracies = layers.indices.map { accuracy(layer: $0, condition: all) }
        return layers[accuracies.indices.min { accuracies[$0] < accuracies[$1] } ?? 0]
    }

    /// Neurons of the strongest layer whose indirect effects were decomposed.
    var sampledNeurons: Int {
        let strongest = strongestLayer
        return indirect.neurons.count { $0.layer == strongest }
    }

    // MARK: Rows

    func metrics() -> [Metric] {
        let strongest = strongestLayer
        var rows = [
            share("accuracy", ["condition": Self.baseline], isCorrect(layer: 0, condition: 0)),
            share("accuracy", ["condition": "shuffled-labels"], isCorrectShuffled()),
        ]
        for (position, layer) in layers.enumerated() {
            for (index, condition) in AblationPredictions.conditions.enumerated() where condition != Self.baseline {
                var paper: Metric.PaperValue?
                if layer == strongest {
                    if condition == AblationCondition.withoutAllNeurons.rawValue { paper = PaperValues.Table1.secondOrderAccuracy }
                    if condition == AblationPredictions.indirect { paper = PaperValues.Table1.indirectAccuracy }
                }
                rows.append(
                    share(
                        "accuracy", ["layer": "\(layer)", "condition": condition],
                        isCorrect(layer: position, condition: index), paper: paper))
            }
            rows.append(significantShare(position, layer))
            rows += explainedVariance(layer, isStrongest: layer == strongest)
        }
        return rows + trust()
    }

    /// Share of images for which a neuron is significant, averaged over the layer's neurons.
    private func significantShare(_ position: Int, _ layer: Int) -> Metric {
        let neurons = Double(directions.layers[layer]?.thresholds.count ?? 0)
        let shares = (0..<predictions.count).map {
            Double(predictions.significant[$0 * predictions.layers.count + position]) / neurons
        }
        return metric(
            "significant-share", ["layer": "\(layer)"], mean(shares), n: shares.count,
            interval: bootstrap.interval(ofMean: shares))
    }

    private func explainedVariance(_ layer: Int, isStrongest: Bool) -> [Metric] {
        let overNeurons = Bootstrap(seed: UInt64(spec.seed), resamplingUnit: "neuron")
        func row(_ effect: String, _ shares: [Double], _ paper: Metric.PaperValue, note: String) -> Metric {
            metric(
                "explained-variance-pc1", ["layer": "\(layer)", "effect": effect], mean(shares), of: spec.fit, n: shares.count,
                interval: overNeurons.interval(ofMean: shares), paper: isStrongest ? paper : nil, note: note)
        }
        let secondOrder = (directions.layers[layer]?.directions.explainedVariance ?? []).map { Double($0) }
        let sampled = indirect.neurons.filter { $0.layer == layer }.map(\.explainedVariance)
        let indirectRow = row(
            "indirect", sampled, PaperValues.Table1.indirectExplainedVariance,
            note: "\(sampled.count) neurons chosen at random, \(indirect.images) fit images")
        return [
            row(
                "second-order", secondOrder, PaperValues.Table1.secondOrderExplainedVariance,
                note: "all neurons, \(fitCount) fit images"),
            sampled.isEmpty ? indirectRow.without(.notRun, because: "the spec samples no neurons (indirect-sample)") : indirectRow,
        ]
    }

    /// Identities and overlap, on every run.
    private func trust() -> [Metric] {
        var rows = [
            metric(
                "identity-error", ["identity": "direct terms = embedding"], decomposition.directTerms,
                n: decomposition.images, unit: "relative error", higherIsBetter: false)
        ]
        for (layer, error) in decomposition.neuronSums.sorted(by: { $0.key < $1.key }) {
            rows.append(
                metric(
                    "identity-error", ["identity": "sum over neurons = value path", "layer": "\(layer)"], error,
                    n: decomposition.images, unit: "relative error", higherIsBetter: false))
        }
        rows.append(
            metric(
                "fit-evaluation-overlap", [:], Double(overlap.images.count), n: labels.count, unit: "images",
                higherIsBetter: false))
        return rows
    }

    private func share(_ name: String, _ subject: Subject, _ values: [Bool], paper: Metric.PaperValue? = nil) -> Metric {
        metric(
            name, subject, mean(values.map { $0 ? 1 : 0 }), n: values.count, interval: bootstrap.interval(ofShare: values),
            paper: paper)
    }

    private func metric(
        _ name: String, _ subject: Subject, _ value: Double, of images: ImageSetName? = nil, n: Int, unit: String = "share", higherIsBetter: Bool = true,
        interval: Metric.Interval? = nil, paper: Metric.PaperValue? = nil, note: String? = nil
    ) -> Metric {
        Metric(
            experiment: MeanAblationExperiment.name, world: spec.world, model: spec.model,
            dataset: "\((images ?? spec.evaluation).dataset)/\((images ?? spec.evaluation).split)", subject: subject, name: name, value: value,
            unit: unit, higherIsBetter: higherIsBetter, n: n, interval: interval, paper: paper,
            isPartial: isPartial, note: note)
    }

    // MARK: Predictions

    /// What was said about every image: once for the baseline, then by layer and condition.
    func predictionSets() -> [PredictionSet] {
        var sets = [predictionSet(["condition": Self.baseline], layer: 0, condition: 0)]
        for (position, layer) in layers.enumerated() {
            for (index, condition) in AblationPredictions.conditions.enumerated() where condition != Self.baseline {
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
                    imageID: spec.evaluation.imageID(image), label: classNames[Int(labels[image])],
                    prediction: classNames[Int(predictions.labels[index])],
                    margin: Double(predictions.margins[index]))
            })
    }

    // MARK: Controls

    /// What speaks against believing the numbers.
    func failedControls() -> [FailedControl] {
        var failures: [FailedControl] = []
        let baseline = accuracy(layer: 0, condition: 0)
        if baseline < spec.accuracyFloor {
            failures.append(.accuracyBelowFloor(accuracy: baseline, floor: spec.accuracyFloor))
        }
        let shuffled = isCorrectShuffled()
        if Chance.probability(ofAtLeast: shuffled.count { $0 }, of: shuffled.count, each: chance) < Self.implausible {
            failures.append(.shuffledLabelsAboveChance(accuracy: mean(shuffled.map { $0 ? 1 : 0 }), chance: chance))
        }
        failures += randomNeuronFailures()
        let worst = ([decomposition.directTerms] + decomposition.neuronSums.values).largestMagnitude()
        if !(worst <= Self.identityTolerance) {
            failures.append(.identityViolated(error: worst, tolerance: Self.identityTolerance))
        }
        if let first = overlap.images.first {
            failures.append(.imagesInBothSets(count: overlap.images.count, first: spec.evaluation.imageID(first)))
        }
        return failures
    }

    /// Below this probability a shuffled accuracy is no chance.
    private static let implausible = 1e-4

    /// Probability that a prediction equals a label dealt out at random.
    private var chance: Double {
        let n = Double(max(labels.count, 1))
        var (said, dealt) = ([Double](repeating: 0, count: classNames.count), [Double](repeating: 0, count: classNames.count))
        for image in labels.indices {
            said[Int(predictions.labels[predictions.index(image: image, layer: 0, condition: 0)])] += 1 / n
            dealt[Int(labels[image])] += 1 / n
        }
        return zip(said, dealt).reduce(0) { $0 + $1.0 * $1.1 }
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
        var bootstrap = bootstrap
        bootstrap.level = 1 - 0.1 / Double(layers.count)  // one-sided
        return layers.indices.compactMap { position in
            let without = isCorrect(layer: position, condition: chosen)
            let withoutRandom = isCorrect(layer: position, condition: random)
            let excess = zip(without, withoutRandom).map { ($0 ? 1.0 : 0) - ($1 ? 1.0 : 0) }
            guard let interval = bootstrap.interval(ofMean: excess), interval.lower > Self.randomNeuronTolerance else { return nil }
            return .randomNeuronsMatterMore(layer: layers[position], excess: mean(excess))
        }
    }
}
