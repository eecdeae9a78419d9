import DenseMath
import Pipeline

/// The untouched model's answers on pictures of several objects as a control: one of the objects more often than a
/// floor, and no better than chance on the objects of other pictures.
struct PresenceControl: Sendable {
    /// Classes that each image shows.
    let objects: [[Int32]]
    /// What the model says.
    let predicted: [Int32]
    let floor: Double
    let seed: Int

    /// Below this probability a shuffled share is no chance.
    private static let implausible = 1e-4

    init(_ facts: ImageFacts, predicted: [Int32], floor: Double, seed: Int) {
        // A picture that shows none of the classes can be answered neither right nor wrong.
        let answerable = predicted.indices.filter { facts.objects[$0].contains { $0 >= 0 } }
        objects = answerable.map { facts.objects[$0] }
        self.predicted = answerable.map { predicted[$0] }
        (self.floor, self.seed) = (floor, seed)
    }

    var isCorrect: [Bool] { zip(predicted, objects).map { $1.contains($0) } }

    var isCorrectShuffled: [Bool] {
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled labels", index: 0)
        return zip(predicted, random.permutation(objects.count)).map { objects[$1].contains($0) }
    }

    func metrics(_ rows: RowMaker, of images: ImageSet) -> [Metric] {
        let metrics = [
            rows.share("accuracy", ["condition": "baseline"], isCorrect, of: images),
            rows.share("accuracy", ["condition": "shuffled-labels"], isCorrectShuffled, of: images),
        ]
        return objects.isEmpty ? metrics.map { $0.without(.notRun, because: "no image shows one of the classes") } : metrics
    }

    func failedControls() -> [FailedControl] {
        guard !objects.isEmpty else { return [] }
        var failures: [FailedControl] = []
        let accuracy = isCorrect.map { $0 ? 1 : 0 }.mean
        if accuracy < floor { failures.append(.accuracyBelowFloor(accuracy: accuracy, floor: floor)) }
        let shuffled = isCorrectShuffled
        if Chance.probability(ofAtLeast: shuffled.count { $0 }, of: shuffled.count, each: chance) < Self.implausible {
            failures.append(.shuffledLabelsAboveChance(accuracy: shuffled.map { $0 ? 1 : 0 }.mean, chance: chance))
        }
        return failures
    }

    /// Probability that a prediction is one of the objects of an image drawn at random.
    private var chance: Double {
        var shown: [Int32: Double] = [:]
        for labels in objects { for label in Set(labels) { shown[label, default: 0] += 1 / Double(objects.count) } }
        return predicted.map { shown[$0] ?? 0 }.mean
    }
}
