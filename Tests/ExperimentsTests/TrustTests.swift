import Foundations
import Pipeline
import Testing

@testable import Experiments

/// Controls by themselves, which every experiment shares.
@Suite struct TrustTests {
    private func rows() throws -> MetricBuilder {
        let document = try HandMade.document("mean-ablation", "seed: 9")
        return MetricBuilder(
            "e",
            try document.read { StudySpec($0, besides: ["evaluation"], choices: HandMade.choices) }.setting,
            isPartial: false)
    }

    private let labels = (0..<200).map { Int32($0 % 10) }

    /// Right on the first of 200 images of ten classes.
    private func control(right: Int, floor: Double = 0.5) -> BaselineControl {
        BaselineControl(
            labels: labels, predicted: labels.enumerated().map { $0 < right ? $1 : ($1 + 1) % 10 }, floor: floor,
            seed: 9)
    }

    @Test func theBaselineHasTwoRows() throws {
        let metrics = control(right: 150).metrics(try rows(), of: HandMade.images)
        #expect(metrics.value("accuracy", ["condition": "baseline"]) == 0.75)
        let shuffled = try #require(metrics.row("accuracy", ["condition": "shuffled-labels"]))
        #expect(metrics.count == 2 && shuffled.n == 200 && (shuffled.value ?? 1) < 0.25)
        #expect(
            metrics.allSatisfy {
                $0.experiment == "e" && $0.dataset == "d/val" && $0.interval?.method == "Wilson score"
            })
    }

    @Test func theFloorItselfIsEnough() {
        #expect(control(right: 100).failedControls() == [])
        #expect(control(right: 99).failedControls() == [.accuracyBelowFloor(accuracy: 0.495, floor: 0.5)])
    }

    @Test func shuffledLabelsAreThoseLabelsInAnotherOrder() {
        // One answer for all: as many are right by chance, whatever the order, and that is no doubt.
        let same = BaselineControl(
            labels: labels, predicted: [Int32](repeating: 3, count: 200), floor: 0, seed: 1)
        #expect(same.isCorrectShuffled.count { $0 } == 20)
        #expect(same.failedControls() == [])
        let other = BaselineControl(labels: labels, predicted: same.predicted, floor: 0, seed: 2)
        #expect(other.isCorrectShuffled != same.isCorrectShuffled)
    }

    @Test func answersThatFollowTheShuffledLabelsAreADoubt() {
        var random = SplitMix64(seed: 9, label: "shuffled labels", index: 0)
        let known = random.permutation(200).map { labels[$0] }
        let control = BaselineControl(labels: labels, predicted: known, floor: 0, seed: 9)
        let failures = control.failedControls()
        guard case .shuffledLabelsAboveChance(let accuracy, let chance)? = failures.first, failures.count == 1 else {
            Issue.record("\(failures)")
            return
        }
        #expect(accuracy == 1 && abs(chance - 0.1) < 1e-9)
    }

    @Test func findingsBecomeRows() throws {
        let metrics = HandMade.trust(identity: 2e-6, sums: [3: 4e-6, 1: 5e-6], overlap: [8]).metrics(
            try rows(), evaluated: 77)
        #expect(metrics.map { $0.value } == [2e-6, 5e-6, 4e-6, 1])
        #expect(metrics.map { $0.n } == [16, 16, 16, 77])
        #expect(metrics.map { $0.subject["layer"] } == [nil, "1", "3", nil])
        #expect(metrics.allSatisfy { !$0.higherIsBetter })
    }

    @Test func eachFindingFailsForItsReason() {
        let tolerance = TrustFindings.identityTolerance(.fp32)
        #expect(HandMade.trust().failedControls() == [])
        // A tower in bf16 is off by its own rounding, and by no more.
        var rounded = HandMade.trust(identity: 5 * tolerance)
        rounded.precision = .bf16
        #expect(rounded.failedControls() == [] && HandMade.trust(identity: 5 * tolerance).failedControls().count == 1)
        #expect(HandMade.trust(identity: tolerance).failedControls() == [])
        #expect(
            HandMade.trust(identity: 0.25).failedControls() == [.identityViolated(error: 0.25, tolerance: tolerance)])
        #expect(
            HandMade.trust(sums: [0: 0, 4: 0.5]).failedControls() == [
                .identityViolated(error: 0.5, tolerance: tolerance)
            ])
        #expect(HandMade.trust(overlap: [5, 9]).failedControls() == [.imagesInBothSets(count: 2, first: "d/val/5")])
        #expect(HandMade.trust(sums: [0: .nan, 1: 0], overlap: [1]).failedControls().count == 2)
    }
}
