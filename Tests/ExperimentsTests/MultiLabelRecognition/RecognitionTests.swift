import DenseMath
import Foundation
import Foundations
import Pipeline
import Testing

@testable import Experiments

/// Scores of labels, and the precisions of the rankings that they make.
@Suite struct RecognitionTests {
    @Test func scoresOfThreeLabels() {
        let cosines: [Float] = [0.5, 0.25, 0]
        #expect(RecognitionScore.cosine.scores(cosines, logitScale: 4) == cosines)
        // e², e¹ and e⁰ over their sum.
        let sum = exp(2) + exp(1.0) + 1
        for (found, expected) in zip(
            RecognitionScore.softmax.scores(cosines, logitScale: 4), [exp(2) / sum, exp(1) / sum, 1 / sum])
        {
            #expect(abs(Double(found) - expected) < 1e-7, "\(found), expected \(expected)")
        }
        // w = softmax(2·cosines) over its mean; w·cosines less their mean.
        let weights = [exp(1), exp(0.5), 1.0]
        let mean = weights.reduce(0, +) / 3
        let products = zip(weights, cosines).map { $0 / mean * Double($1) }
        let expected = products.map { $0 - products.reduce(0, +) / 3 }
        for (found, expected) in zip(RecognitionScore.featureSurgery.scores(cosines, logitScale: 4), expected) {
            #expect(abs(Double(found) - expected) < 1e-6, "\(found), expected \(expected)")
        }
    }

    @Test func softmaxHoldsAtLargeScales() {
        let scores = RecognitionScore.softmax.scores([-1, 1, 0.99], logitScale: 100)
        #expect(scores.allSatisfy(\.isFinite) && scores[0] == 0 && abs(scores[1] - 0.7310586) < 1e-4, "\(scores)")
        #expect(RecognitionScore.softmax.scores([0.25, 0.25], logitScale: 100) == [0.5, 0.5])
    }

    // MARK: Precisions

    private struct Fixture: Decodable {
        struct Recognition: Decodable {
            let name: String
            let scores: [[Float]]
            let present: [[Int]]
            let averagePrecisions: [Double]
        }

        let recognition: [Recognition]
    }

    static func precision(
        _ score: RecognitionScore, _ subset: RecognitionSubset, cosines: [[Float]], shown: [Set<Int32>], seed: Int = 0
    ) throws -> RecognitionPrecisions.Item {
        let all = try RecognitionPrecisionsStep.precisions(
            subset, cosines: cosines, shown: shown, logitScale: 10, seed: seed)
        return try #require(all.items.first { $0.score == score })
    }

    /// The gain is the difference of the two means, and its interval that of the difference on the same images: here it
    /// is narrower than either mean's.
    @Test func theGainIsMeasuredOnTheSameImages() throws {
        var random = SplitMix64(seed: 4)
        let shown = (0..<200).map { _ in Set((0..<3).filter { _ in random.below(2) == 0 }.map { Int32($0) }) }
        let cosines = shown.map { shown in
            (0..<3).map { Float(random.uniform()) + (shown.contains(Int32($0)) ? 0.5 : 0) }
        }
        let all = try RecognitionPrecisionsStep.precisions(
            .all, cosines: cosines, shown: shown, logitScale: 10, seed: 0)
        let gain = try #require(all.gains.first)
        func item(_ score: RecognitionScore) throws -> RecognitionPrecisions.Item {
            try #require(all.items.first { $0.score == score })
        }
        #expect(gain.score == .featureSurgery && gain.over == .softmax && gain.images == 200 && gain.labels == 3)
        #expect(abs(gain.meanAP - (try item(.featureSurgery).meanAP - item(.softmax).meanAP)) < 1e-12)
        func width(_ interval: Metric.Interval?) throws -> Double {
            try #require(interval).upper - #require(interval).lower
        }
        #expect(try width(gain.interval) < width(item(.softmax).interval))
        #expect(try #require(gain.interval).lower <= gain.meanAP && gain.meanAP <= #require(gain.interval).upper)
    }

    @Test func scikitLearnsMacroAverage() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appendingPathComponent("AttributionTests/Fixtures/surgery-measures.json")
        let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        #expect(fixture.recognition.count == 3)
        for item in fixture.recognition {
            let labels = item.averagePrecisions.count
            let shown = item.present.map { row in Set(row.indices.filter { row[$0] == 1 }.map { Int32($0) }) }
            let found = try Self.precision(.cosine, .all, cosines: item.scores, shown: shown)
            let expected = item.averagePrecisions.reduce(0, +) / Double(labels)
            #expect(abs(found.meanAP - expected) < 1e-9, "\(item.name): \(found.meanAP), expected \(expected)")
            #expect(found.labels == labels && found.images == item.scores.count)
            let interval = try #require(found.interval)
            #expect(
                interval.lower < found.meanAP && found.meanAP < interval.upper
                    && interval.method == "delete-a-group jackknife")
        }
    }

    @Test func labelsThatNoImageShowsHaveNoPrecision() throws {
        // The second label: 1 | 0 with the second image; the third label is nowhere.
        let item = try Self.precision(
            .cosine, .several, cosines: [[1, 0, 9], [0, 1, 9]], shown: [[0], [0, 1]], seed: 4)
        #expect(
            item.labels == 2 && item.images == 2 && item.meanAP == 1 && item.score == .cosine && item.subset == .several
        )
        let nothing = try Self.precision(.cosine, .several, cosines: [], shown: [])
        #expect(nothing.labels == 0 && nothing.images == 0 && nothing.meanAP.isNaN && nothing.interval == nil)
    }

    @Test func workCanBeStopped() {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try RecognitionPrecisionsStep.precisions(
                .all, cosines: [[1]], shown: [[0]], logitScale: 1, seed: 0, check: { throw Stop() })
        }
    }

    // MARK: Stored

    /// Also where there is no number.
    @Test func precisionsComeBack() throws {
        let nothing = try RecognitionPrecisionsStep.precisions(.several, cosines: [], shown: [], logitScale: 1, seed: 0)
        var value = RecognitionPrecisions(
            items: [
                try Self.precision(.cosine, .several, cosines: [], shown: []),
                try Self.precision(
                    .featureSurgery, .all, cosines: [[0.5, 0.25], [0.25, 0.5], [0, 0]], shown: [[0], [0, 1], []]),
            ], gains: nothing.gains)
        value.gains[0].interval = value.items[1].interval
        let back = try RecognitionPrecisions(value.stored())
        #expect(back.items.map(\.score) == [.cosine, .featureSurgery] && back.items.map(\.subset) == [.several, .all])
        #expect(
            back.items[0].meanAP.isNaN && back.items[1].meanAP == value.items[1].meanAP && back.items[1].images == 3)
        #expect(back.items[1].interval == value.items[1].interval && back.items[1].labels == 2)
        #expect(
            back.gains.count == 1 && back.gains[0].meanAP.isNaN && back.gains[0].interval == value.items[1].interval)
        #expect(throws: (any Error).self) { try RecognitionPrecisions(.json(Data("{}".utf8))) }
    }

    @Test func similaritiesComeBack() throws {
        let value = LabelSimilarities(cosines: Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]))
        #expect(try LabelSimilarities(value.stored()).cosines == value.cosines)
        try expectRefusal(value, "cosines", [6])
        try expectRefusal(value, "cosines", [1, 2, 3])
        var twice = value
        try twice.append(value)
        #expect(twice.cosines.shape == [4, 3] && twice.cosines[row: 3] == [4, 5, 6])
        try expectNoPartCanBeMissing(value)
    }
}
