import Foundation
import Foundations
import Pipeline

/// The untouched model's zero-shot answers as a control: one of the classes that the image shows more often than a
/// floor, and no better than chance on the classes of other images, dealt out anew.
struct BaselineControl: Sendable {
    /// The images that can be answered, by their index in the set.
    private let answerable: [Int]
    /// Classes that each image shows.
    let objects: [[Int32]]
    /// What the model says.
    let predicted: [Int32]
    let floor: Double
    let seed: Int

    /// Below this probability a shuffled accuracy is no chance.
    private static let implausible = 1e-4

    /// An image that shows none of the classes can be answered neither right nor wrong and is left out.
    /// - Parameter objects: classes of each image, −1 for one that is none of the classifier's.
    init(objects: [[Int32]], predicted: [Int32], floor: Double, seed: Int) {
        answerable = predicted.indices.filter { objects[$0].contains { $0 >= 0 } }
        self.objects = answerable.map { objects[$0] }
        self.predicted = answerable.map { predicted[$0] }
        (self.floor, self.seed) = (floor, seed)
    }

    /// For images of one class each.
    init(labels: [Int32], predicted: [Int32], floor: Double, seed: Int) {
        self.init(objects: labels.map { [$0] }, predicted: predicted, floor: floor, seed: seed)
    }

    var isCorrect: [Bool] { zip(predicted, objects).map { $1.contains($0) } }

    var isCorrectShuffled: [Bool] {
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled labels", index: 0)
        return zip(predicted, random.permutation(objects.count)).map { objects[$1].contains($0) }
    }

    /// The share of answers that are right.
    func accuracy(_ rows: MetricBuilder, _ subject: Subject, of images: ImageSet) -> Metric {
        rows.share("accuracy", subject, isCorrect, of: images, at: answerable)
    }

    func metrics(_ rows: MetricBuilder, of images: ImageSet) -> [Metric] {
        let metrics = [
            accuracy(rows, ["condition": "baseline"], of: images),
            rows.share("accuracy", ["condition": "shuffled-labels"], isCorrectShuffled, of: images, at: answerable),
        ]
        return objects.isEmpty
            ? metrics.map { $0.without(.notRun, because: "no image shows one of the classes") } : metrics
    }

    func failedControls() -> [FailedControl] {
        guard !objects.isEmpty else { return [] }
        var failures: [FailedControl] = []
        let accuracy = share(isCorrect)
        if accuracy < floor { failures.append(.accuracyBelowFloor(accuracy: accuracy, floor: floor)) }
        let shuffled = isCorrectShuffled
        if Chance.probability(ofAtLeast: shuffled.count { $0 }, of: shuffled.count, each: chance) < Self.implausible {
            failures.append(.shuffledLabelsAboveChance(accuracy: share(shuffled), chance: chance))
        }
        return failures
    }

    private func share(_ values: [Bool]) -> Double { Double(values.count { $0 }) / Double(values.count) }

    /// Probability that an answer is a class of an image drawn at random.
    private var chance: Double {
        var shown: [Int32: Double] = [:]
        for labels in objects { for label in Set(labels) { shown[label, default: 0] += 1 / Double(objects.count) } }
        return predicted.map { shown[$0] ?? 0 }.mean
    }
}

/// Probabilities of counting successes by chance.
enum Chance {
    /// P(X ≥ k) for X binomial with n trials of probability p, summed term by term.
    static func probability(ofAtLeast k: Int, of n: Int, each p: Double) -> Double {
        guard k > 0 else { return 1 }
        guard p > 0, k <= n else { return 0 }
        guard p < 1 else { return 1 }
        // Below the count, where terms are few; logarithms keep (1−p)ⁿ from vanishing.
        var below = 0.0
        var term = Double(n) * log1p(-p)
        for i in 0..<k {
            below += exp(term)
            term += log(Double(n - i) / Double(i + 1)) + log(p) - log1p(-p)
        }
        return max(0, 1 - below)
    }
}
