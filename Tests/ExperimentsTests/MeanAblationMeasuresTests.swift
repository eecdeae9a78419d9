import DenseMath
import Foundation
import Foundations
import Lens
import Pipeline
import Testing

@testable import Experiments

/// Accuracies, paper values and controls from predictions made by hand.
@Suite struct MeanAblationMeasuresTests {
    static let count = 400
    static let classes = 20

    static let specText = """
        experiment: mean-ablation
        world: emoji
        model: m
        fit: {dataset: d, split: fit}
        evaluation: {dataset: d, split: val}
        controls: {accuracy-floor: 0.6}
        """

    /// Measures of a model that is right on the first 300 of 400 images, and for each condition of
    /// layer 1 on the given number of them.
    func measures(
        correct: [String: Int] = [:], baseline: Int = 300, identity: Double = 1e-6, overlap: [Int] = [],
        answersWithLabels: Bool = true
    ) throws -> MeanAblationMeasures {
        let spec = try MeanAblationSpec(
            SpecDocument(text: Self.specText, path: "spec.yaml"), choices: HandMade.choices(layers: 0..<2, neurons: 6))
        let labels = (0..<Self.count).map { Int32($0 % Self.classes) }
        var predictions = AblationPredictions(layers: [0, 1])
        for image in 0..<Self.count {
            for layer in 0..<2 {
                for condition in AblationPredictions.conditions {
                    let right = layer == 1 ? correct[condition] ?? baseline : baseline
                    let wrong = Int32((Int(labels[image]) + 1) % Self.classes)
                    predictions.labels.append(image < right ? labels[image] : wrong)
                    predictions.margins.append(1)
                }
            }
        }
        let direction = HandMade.directions(Tensor(zeros: [6, 4]), shares: [0.2, 0.4, 0.6, 0.8, 0.5, 0.5])
        func sample(_ share: Float) -> EffectSummary {
            .init(directions: HandMade.directions(Tensor(zeros: [1, 4]), shares: [share]))
        }
        return try MeanAblationMeasures(
            spec: spec, layers: [0, 1], classNames: (0..<Self.classes).map { "class \($0)" }, fitCount: 100,
            isPartial: false, labels: labels, predictions: predictions,
            directions: FittedDirections(layers: [
                0: .init(directions: direction, thresholds: [Float](repeating: 1, count: 6)),
                1: .init(directions: direction, thresholds: [Float](repeating: 1, count: 6)),
            ]),
            sampled: SampledEffects(layers: [1: .init(neurons: [2], indirect: sample(0.25), secondOrder: sample(0.375))]
            ),
            trust: TrustFindings(
                fit: HandMade.fit, evaluation: HandMade.images,
                decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [0: 1e-7, 1: 1e-7]),
                overlap: StoredOverlap(images: overlap)),
            paper: HandMade.papers().table("2nd order", "Table 1"))
    }

    func metric(_ metrics: [Metric], _ name: String, _ columns: [String: String]) throws -> Metric {
        try #require(
            metrics.first { row in
                row.name == name && columns.allSatisfy { row.subject[$0.key] == $0.value }
                    && row.subject.columns.count == columns.count
            })
    }

    @Test func accuraciesAreSharesOfImagesWithTheirIntervals() throws {
        let metrics = try measures(correct: ["without-all-neurons": 100]).metrics()
        let baseline = try metric(metrics, "accuracy", ["condition": "baseline"])
        #expect(baseline.value == 0.75 && baseline.n == 400)
        let interval = try #require(baseline.interval)
        #expect(interval.lower < 0.75 && interval.upper > 0.75 && interval.upper - interval.lower < 0.12)
        let ablated = try metric(metrics, "accuracy", ["layer": "1", "condition": "without-all-neurons"])
        #expect(ablated.value == 0.25)
        func share(_ effect: String, layer: String, sample: String) throws -> Metric {
            try metric(metrics, "pc1-share", ["layer": layer, "effect": effect, "of": "largest", "sample": sample])
        }
        #expect(
            try share("second-order", layer: "0", sample: "all").value.isNear(0.5)
                && share("second-order", layer: "0", sample: "all").n == 6)
        // The one neuron that was sampled, whose indirect effects nobody else has.
        #expect(
            try share("second-order", layer: "1", sample: "equal").value == 0.375
                && share("indirect", layer: "1", sample: "equal").value == 0.25)
        #expect(try share("indirect", layer: "1", sample: "equal").n == 1)
    }

    @Test func paperValuesStandAtTheStrongestLayerAndAreNotComparable() throws {
        let measures = try measures(correct: ["without-all-neurons": 100])
        #expect(measures.tableLayer == 1)
        let metrics = measures.metrics()
        let strongest = try metric(metrics, "accuracy", ["layer": "1", "condition": "without-all-neurons"])
        #expect(strongest.paper?.value == 0.296)
        #expect(strongest.verdict == .notComparable)
        #expect(try metric(metrics, "accuracy", ["layer": "0", "condition": "without-all-neurons"]).paper == nil)
        #expect(try metric(metrics, "accuracy", ["layer": "1", "condition": "indirect"]).paper?.value == 0.523)
    }

    @Test func aLayerWithoutSampledNeuronsKeepsItsRow() throws {
        let row = try metric(
            try measures().metrics(), "pc1-share",
            ["layer": "0", "effect": "indirect", "of": "largest", "sample": "equal"])
        #expect(row.status == .notRun)
        #expect(row.note?.contains("indirect-sample") == true)
    }

    @Test func predictionsLeadFromEveryAccuracyToItsImages() throws {
        let measures = try measures(correct: ["indirect": 7])
        for set in measures.predictionSets() {
            let share = Double(set.predictions.count { $0.label == $0.prediction }) / Double(set.predictions.count)
            let columns = Dictionary(uniqueKeysWithValues: set.condition.columns.map { ($0.name, $0.value) })
            #expect(try metric(measures.metrics(), "accuracy", columns).value == share)
            #expect(set.predictions[3].imageID == "d/val/3")
        }
    }

    @Test func controlsPassOnAnHonestRun() throws {
        #expect(
            try measures(correct: ["without-large-norms": 200, "without-random-neurons": 280]).failedControls() == [])
    }

    @Test func eachControlFailsForItsReason() throws {
        #expect(try measures(baseline: 200).failedControls() == [.accuracyBelowFloor(accuracy: 0.5, floor: 0.6)])
        #expect(
            try measures(correct: ["without-random-neurons": 200]).failedControls()
                == [.randomNeuronsMatterMore(layer: 1, excess: 0.25)])
        #expect(
            try measures(identity: 0.01).failedControls()
                == [.identityViolated(error: 0.01, tolerance: TrustFindings.identityTolerance(.fp32))])
        #expect(try measures(overlap: [5, 9]).failedControls() == [.imagesInBothSets(count: 2, first: "d/val/5")])
        // NaN is no small number, wherever it stands.
        guard case .identityViolated(let error, _)? = try measures(identity: .nan).failedControls().first else {
            Issue.record("an identity error of NaN passed")
            return
        }
        #expect(error.isNaN)
    }

    @Test func aLittleLuckOfRandomNeuronsIsNoDoubt() throws {
        // One image of 400 more: where no neuron matters, either choice may come out ahead.
        #expect(
            try measures(correct: ["without-large-norms": 300, "without-random-neurons": 299]).failedControls() == [])
    }

    @Test func chanceIsTheBinomialTail() {
        #expect(abs(Chance.probability(ofAtLeast: 1, of: 2, each: 0.5) - 0.75) < 1e-12)
        #expect(abs(Chance.probability(ofAtLeast: 3, of: 4, each: 0.25) - (4 * 0.015625 * 0.75 + 0.00390625)) < 1e-12)
        #expect(Chance.probability(ofAtLeast: 0, of: 9, each: 0.1) == 1)
        #expect(Chance.probability(ofAtLeast: 1, of: 9, each: 0) == 0)
        #expect(Chance.probability(ofAtLeast: 5, of: 4000, each: 1.0 / 800) > 0.4)
        #expect(Chance.probability(ofAtLeast: 25, of: 4000, each: 1.0 / 800) < 1e-8)
    }

    @Test func predictionsThatFollowThePlaceOfAnImageFailTheShuffledControl() throws {
        // Labels dealt out anew by the measure's own order, and predictions that know that order.
        var measures = try measures()
        var random = SplitMix64(seed: 0, label: "shuffled labels", index: 0)
        let order = random.permutation(Self.count)
        for image in 0..<Self.count {
            measures.predictions.labels[measures.predictions.index(image: image, layer: 0, condition: 0)] =
                measures.labels[order[image]]
        }
        guard case .shuffledLabelsAboveChance(let accuracy, let chance)? = measures.failedControls().last else {
            Issue.record("\(measures.failedControls())")
            return
        }
        #expect(accuracy == 1 && abs(chance - 0.05) < 1e-9)
    }
}
