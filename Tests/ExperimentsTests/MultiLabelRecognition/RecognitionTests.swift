import DenseMath
import Foundation
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
        for (found, expected) in zip(RecognitionScore.softmax.scores(cosines, logitScale: 4), [exp(2) / sum, exp(1) / sum, 1 / sum]) {
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

    @Test func scikitLearnsMacroAverage() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("AttributionTests/Fixtures/surgery-measures.json")
        let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
        #expect(fixture.recognition.count == 3)
        for item in fixture.recognition {
            let labels = item.averagePrecisions.count
            let shown = item.present.map { row in Set(row.indices.filter { row[$0] == 1 }.map { Int32($0) }) }
            let found = try RecognitionPrecisionsStep.precision(
                .cosine, .all, scores: item.scores, shown: shown, vocabulary: labels, seed: 0)
            let expected = item.averagePrecisions.reduce(0, +) / Double(labels)
            #expect(abs(found.meanAP - expected) < 1e-9, "\(item.name): \(found.meanAP), expected \(expected)")
            #expect(found.labels == labels && found.images == item.scores.count)
            let interval = try #require(found.interval)
            #expect(interval.lower < found.meanAP && found.meanAP < interval.upper && interval.method == "delete-a-group jackknife")
        }
    }

    @Test func labelsThatNoImageShowsHaveNoPrecision() throws {
        // The second label: 1 | 0 with the second image; the third label is nowhere.
        let item = try RecognitionPrecisionsStep.precision(
            .softmax, .several, scores: [[1, 0, 9], [0, 1, 9]], shown: [[0], [0, 1]], vocabulary: 3, seed: 4)
        #expect(item.labels == 2 && item.images == 2 && item.meanAP == 1 && item.score == .softmax && item.subset == .several)
        let nothing = try RecognitionPrecisionsStep.precision(.cosine, .several, scores: [], shown: [], vocabulary: 3, seed: 0)
        #expect(nothing.labels == 0 && nothing.images == 0 && nothing.meanAP.isNaN && nothing.interval == nil)
    }

    @Test func workCanBeStopped() {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try RecognitionPrecisionsStep.precision(
                .cosine, .all, scores: [[1]], shown: [[0]], vocabulary: 1, seed: 0, check: { throw Stop() })
        }
    }

    // MARK: Stored

    /// Also where there is no number.
    @Test func precisionsComeBack() throws {
        let value = RecognitionPrecisions(items: [
            try RecognitionPrecisionsStep.precision(.cosine, .several, scores: [], shown: [], vocabulary: 3, seed: 0),
            try RecognitionPrecisionsStep.precision(
                .featureSurgery, .all, scores: [[0.5, 0.25], [0.25, 0.5], [0, 0]], shown: [[0], [0, 1], []], vocabulary: 2, seed: 0),
        ])
        let back = try RecognitionPrecisions(value.stored())
        #expect(back.items.map(\.score) == [.cosine, .featureSurgery] && back.items.map(\.subset) == [.several, .all])
        #expect(back.items[0].meanAP.isNaN && back.items[1].meanAP == value.items[1].meanAP && back.items[1].images == 3)
        #expect(back.items[1].interval == value.items[1].interval && back.items[1].labels == 2)
        #expect(throws: (any Error).self) { try RecognitionPrecisions(.json(Data("{}".utf8))) }
    }

    @Test func similaritiesComeBack() throws {
        let value = LabelSimilarities(Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]))
        #expect(try LabelSimilarities(value.stored()).cosines == value.cosines)
        try expectRefusal(value, "cosines", [6])
        try expectRefusal(value, "cosines", [1, 2, 3])
        try expectNoPartCanBeMissing(value)
    }
}
