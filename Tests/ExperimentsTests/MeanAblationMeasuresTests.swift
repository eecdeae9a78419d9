import DenseMath
import Foundation
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
        let spec = try MeanAblationSpec(SpecDocument(text: Self.specText, path: "spec.yaml")) { _ in 0..<2 }
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
                predictions.significant.append(layer == 1 ? 3 : 1)
            }
        }
        let direction = PrincipalDirections(
            directions: Tensor(zeros: [6, 4]), explainedVariance: [0.2, 0.4, 0.6, 0.8, 0.5, 0.5])
        return MeanAblationMeasures(
            spec: spec, layers: [0, 1], classNames: (0..<Self.classes).map { "class \($0)" }, fitCount: 100,
            isPartial: false, labels: labels, predictions: predictions,
            directions: FittedDirections(layers: [
                0: .init(directions: direction, thresholds: [Float](repeating: 1, count: 6)),
                1: .init(directions: direction, thresholds: [Float](repeating: 1, count: 6)),
            ]),
            indirect: IndirectExplainedVariance(neurons: [.init(layer: 1, neuron: 2, explainedVariance: 0.25)], images: 50),
            decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [0: 1e-7, 1: 1e-7]),
            overlap: StoredOverlap(images: overlap))
    }

    func metric(_ metrics: [Metric], _ name: String, _ columns: [String: String]) throws -> Metric {
        try #require(metrics.first { row in
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
        #expect(try metric(metrics, "significant-share", ["layer": "1"]).value == 0.5)
        let explained = try metric(metrics, "explained-variance-pc1", ["layer": "0", "effect": "second-order"])
        #expect(abs((explained.value ?? 0) - 0.5) < 1e-6 && explained.n == 6)
    }

    @Test func paperValuesStandAtTheStrongestLayerAndAreNotComparable() throws {
        let measures = try measures(correct: ["without-all-neurons": 100])
        #expect(measures.strongestLayer == 1)
        let metrics = measures.metrics()
        let strongest = try metric(metrics, "accuracy", ["layer": "1", "condition": "without-all-neurons"])
        #expect(strongest.paper?.value == 0.296)
        #expect(strongest.verdict == .notComparable)
        #expect(try metric(metrics, "accuracy", ["layer": "0", "condition": "without-all-neurons"]).paper == nil)
        #expect(try metric(metrics, "accuracy", ["layer": "1", "condition": "indirect"]).paper?.value == 0.523)
    }

    @Test func aLayerWithoutSampledNeuronsKeepsItsRow() throws {
        let row = try metric(
            try measures().metrics(), "explained-variance-pc1", ["layer": "0", "effect": "indirect"])
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
        #expect(try measures(correct: ["without-large-norms": 200, "without-random-neurons": 280]).failedControls() == [])
    }

    @Test func eachControlFailsForItsReason() throws {
        let floor = try measures(baseline: 200).failedControls()
        #expect(floor.count == 1 && floor[0].contains("below the floor"))
        let random = try measures(correct: ["without-random-neurons": 200]).failedControls()
        #expect(random.count == 1 && random[0].contains("layer 1: removing random neurons"))
        let identity = try measures(identity: 0.01).failedControls()
        #expect(identity.count == 1 && identity[0].contains("identity"))
        let undefined = try measures(identity: .nan).failedControls()
        #expect(undefined.count == 1 && undefined[0].contains("identity"))
        let overlap = try measures(overlap: [5, 9]).failedControls()
        #expect(overlap.count == 1 && overlap[0].contains("d/val/5"))
    }

    @Test func labelsThatDoNotMatterFailTheShuffledControl() throws {
        // One class for all images: any order of the labels is the right one.
        let spec = try MeanAblationSpec(SpecDocument(text: Self.specText, path: "spec.yaml")) { _ in 0..<1 }
        var predictions = AblationPredictions(layers: [0])
        for _ in 0..<100 {
            predictions.labels += [Int32](repeating: 3, count: AblationPredictions.conditions.count)
            predictions.margins += [Float](repeating: 1, count: AblationPredictions.conditions.count)
            predictions.significant.append(1)
        }
        let measures = MeanAblationMeasures(
            spec: spec, layers: [0], classNames: (0..<20).map { "class \($0)" }, fitCount: 100, isPartial: false,
            labels: [Int32](repeating: 3, count: 100), predictions: predictions,
            directions: FittedDirections(layers: [:]), indirect: .init(neurons: [], images: 0),
            decomposition: .init(images: 1, directTerms: 0, neuronSums: [:]), overlap: .init(images: []))
        #expect(measures.failedControls().contains { $0.contains("shuffled labels") })
    }
}
