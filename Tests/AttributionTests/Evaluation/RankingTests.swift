import Foundation
import Foundations
import Testing

@testable import Attribution

/// A ranking asked for parts of its images, against ``AveragePrecision`` of those parts alone.
@Suite struct RankingTests {
    private let all = [true, true, true, true, true]

    @Test func everyPartHasThePrecisionOfItsOwnImages() {
        var random = SplitMix64(seed: 4)
        var (worst, without) = (0.0, 0)
        for trial in 0..<400 {
            let count = 1 + random.below(60)
            // Few different scores: most images share theirs. Some trials have negative ones, and both zeros.
            let distinct = 1 + random.below(trial.isMultiple(of: 2) ? 5 : 1000)
            let scores = (0..<count).map { _ in
                let score = Float(random.below(distinct) - distinct / 2)
                return score == 0 && random.below(2) == 0 ? -score : score
            }
            let labels = (0..<count).map { _ in random.below(4) == 0 }
            let ranking = Ranking(scores: scores, labels: labels)
            for part in 0..<4 {
                let counts = (0..<count).map { _ in part == 0 || random.below(3) > 0 }
                let kept = (0..<count).filter { counts[$0] }
                let expected = AveragePrecision.value(scores: kept.map { scores[$0] }, labels: kept.map { labels[$0] })
                let found = ranking.averagePrecision(of: counts)
                #expect(found.isNaN == expected.isNaN, "trial \(trial), part \(part): \(found), expected \(expected)")
                if expected.isNaN { without += 1 } else { worst = max(worst, abs(found - expected)) }
            }
        }
        #expect(worst < 1e-12, "off by \(worst)")
        #expect(without > 20, "parts without positives: \(without)")
    }

    @Test func scikitLearnsPrecisions() throws {
        for item in try RecognitionFixture.load() {
            for (label, expected) in item.averagePrecisions.enumerated() {
                let ranking = Ranking(
                    scores: item.scores.map { $0[label] }, labels: item.present.map { $0[label] == 1 })
                let found = ranking.averagePrecision(of: [Bool](repeating: true, count: item.scores.count))
                #expect(abs(found - expected) < 1e-9, "\(item.name), label \(label): \(found), expected \(expected)")
            }
        }
    }

    @Test func equalScoresAreOneStep() {
        // 1 | ½ ½ ½ | 0 with positives in the middle and at the end: 2/4 at two of them, 3/5 at the last.
        let ranking = Ranking(scores: [0.5, 1, 0.5, 0, 0.5], labels: [true, false, false, true, true])
        #expect(abs(ranking.averagePrecision(of: all) - (2 * 2.0 / 4 + 3.0 / 5) / 3) < 1e-15)
        // Without the best, and without one negative that stands among the equals.
        #expect(
            abs(ranking.averagePrecision(of: [true, false, true, true, true]) - (2 * 2.0 / 3 + 3.0 / 4) / 3) < 1e-15)
        #expect(
            abs(ranking.averagePrecision(of: [true, true, false, true, true]) - (2 * 2.0 / 3 + 3.0 / 4) / 3) < 1e-15)
        // Without the positives of the step, or without any.
        #expect(ranking.averagePrecision(of: [false, true, true, true, false]) == 1.0 / 3)
        #expect(ranking.averagePrecision(of: [false, true, true, false, false]).isNaN)
        #expect(ranking.averagePrecision(of: [Bool](repeating: false, count: 5)).isNaN)
    }

    @Test func infiniteScoresStandAtTheEnds() {
        let ranking = Ranking(scores: [-.infinity, 0, .infinity, .infinity], labels: [true, false, true, false])
        #expect(abs(ranking.averagePrecision(of: [true, true, true, true]) - (1.0 / 2 + 2.0 / 4) / 2) < 1e-15)
        #expect(Ranking(scores: [], labels: []).averagePrecision(of: []).isNaN)
    }
}
