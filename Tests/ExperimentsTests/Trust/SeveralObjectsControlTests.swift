import Foundations
import Pipeline
import Testing

@testable import Experiments

/// The control on pictures of several objects.
@Suite struct SeveralObjectsControlTests {
    private func rows() throws -> MetricBuilder {
        let setting = try MultiLabelSpec(
            SurgerySample.document("multi-label-recognition", "seed: 9\ncontrols: {accuracy-floor: 0}"),
            choices: SurgerySample.choices
        ).setting
        return MetricBuilder("e", setting, isPartial: false)
    }

    private func control(_ objects: [[Int32]], _ predicted: [Int32], floor: Double = 0, seed: Int = 9)
        -> BaselineControl
    {
        BaselineControl(objects: objects, predicted: predicted, floor: floor, seed: seed)
    }

    /// The third and fourth picture show none of the classes.
    private let objects: [[Int32]] = [[0, 1], [1], [-1], [], [2, -1, 0]]

    @Test func oneOfTheObjectsIsRightAndOtherPicturesAreLeftOut() throws {
        let metrics = control(objects, [1, 0, 3, 0, 0]).metrics(try rows(), of: HandMade.images)
        let right = try #require(metrics.row("accuracy", ["condition": "baseline"]))
        #expect(right.value == 2.0 / 3 && right.n == 3 && right.interval?.method == "Wilson score", "\(right)")
        let shuffled = try #require(metrics.row("accuracy", ["condition": "shuffled-labels"]))
        #expect(metrics.count == 2 && shuffled.n == 3 && shuffled.status == .ok)
        // What is kept of each image stands under its own name.
        for row in [right, shuffled] {
            #expect(
                row.terms?.images == [0, 1, 4].map(HandMade.images.imageID),
                "\(row.name): \(String(describing: row.terms?.images))")
        }
        #expect(right.terms?.terms.map(\.numerator) == [1, 0, 1])
    }

    @Test func theFloorItselfIsEnough() {
        #expect(control(objects, [1, 0, 3, 0, 0], floor: 2.0 / 3).failedControls() == [])
        #expect(
            control(objects, [1, 0, 3, 0, 0], floor: 0.7).failedControls() == [
                .accuracyBelowFloor(accuracy: 2.0 / 3, floor: 0.7)
            ])
    }

    @Test func shuffledObjectsAreThoseObjectsInAnotherOrder() {
        // One answer for all: as many are right by chance, whatever the order, and that is no doubt.
        let pairs = (0..<200).map { [Int32($0 % 10), Int32(($0 + 1) % 10)] }
        let same = control(pairs, [Int32](repeating: 3, count: 200), seed: 1)
        #expect(same.isCorrectShuffled.count { $0 } == 40 && same.failedControls() == [])
        #expect(control(pairs, same.predicted, seed: 2).isCorrectShuffled != same.isCorrectShuffled)
    }

    @Test func answersThatFollowTheShuffledObjectsAreADoubt() {
        let pairs = (0..<200).map { [Int32($0 % 10), Int32(($0 + 1) % 10)] }
        var random = SplitMix64(seed: 9, label: "shuffled labels", index: 0)
        let known = random.permutation(200).map { pairs[$0][1] }
        let failures = control(pairs, known).failedControls()
        guard case .shuffledLabelsAboveChance(let accuracy, let chance)? = failures.first, failures.count == 1 else {
            Issue.record("\(failures)")
            return
        }
        // Two of ten classes a picture.
        #expect(accuracy == 1 && abs(chance - 0.2) < 1e-9, "\(accuracy), chance \(chance)")
    }

    @Test func withoutAnAnswerablePictureNothingIsSaid() throws {
        for objects: [[Int32]] in [[], [[-1], []]] {
            let control = control(objects, [Int32](repeating: 0, count: objects.count), floor: 1)
            #expect(control.failedControls() == [])
            let metrics = control.metrics(try rows(), of: HandMade.images)
            #expect(metrics.count == 2)
            for row in metrics {
                #expect(
                    row.status == .notRun && row.value == nil && row.note == "no image shows one of the classes",
                    "\(row)")
            }
        }
    }
}
