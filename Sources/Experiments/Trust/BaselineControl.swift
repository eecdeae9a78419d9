import DenseMath
import Pipeline

/// The untouched model's zero-shot predictions as a control: better than a floor, and no better than
/// chance on labels that were dealt out anew.
struct BaselineControl: Sendable {
    /// Class of each image.
    let labels: [Int32]
    /// What the model says.
    let predicted: [Int32]
    let classCount: Int
    let floor: Double
    let seed: Int

    /// Below this probability a shuffled accuracy is no chance.
    private static let implausible = 1e-4

    var isCorrect: [Bool] { zip(labels, predicted).map { $0 == $1 } }

    var isCorrectShuffled: [Bool] {
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled labels", index: 0)
        return zip(predicted, random.permutation(labels.count)).map { $0 == labels[$1] }
    }

    func metrics(_ rows: RowMaker, of images: ImageSet) -> [Metric] {
        let metrics = [
            rows.share("accuracy", ["condition": "baseline"], isCorrect, of: images),
            rows.share("accuracy", ["condition": "shuffled-labels"], isCorrectShuffled, of: images),
        ]
        return labels.isEmpty ? metrics.map { $0.without(.notRun, because: "no image shows one of the classes") } : metrics
    }

    func failedControls() -> [FailedControl] {
        guard !labels.isEmpty else { return [] }
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

    /// Probability that a prediction equals a label dealt out at random.
    private var chance: Double {
        let n = Double(max(labels.count, 1))
        var (said, dealt) = ([Double](repeating: 0, count: classCount), [Double](repeating: 0, count: classCount))
        for (label, prediction) in zip(labels, predicted) {
            said[Int(prediction)] += 1 / n
            dealt[Int(label)] += 1 / n
        }
        return zip(said, dealt).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
