import Attribution
import Testing

@Suite struct AveragePrecisionTests {
    @Test(arguments: try MeasureFixture.load().scores) func valuesAreThoseOfScikitLearn(
        _ expected: MeasureFixture.Scores
    ) {
        let found = AveragePrecision.value(scores: expected.scores, labels: expected.labels.map { $0 == 1 })
        let error = abs(found - expected.averagePrecision)
        #expect(error < 1e-12, "\(found), not \(expected.averagePrecision)")
    }

    /// The bytes too: with equal scores the order of additions must not be that of the input.
    @Test func orderDoesNotMatter() {
        let scores: [Float] = (0..<600).map { Float($0 * 7919 % 23) / 23 }
        let labels = (0..<600).map { $0 * 31 % 7 < 3 }
        let value = AveragePrecision.value(scores: scores, labels: labels)
        #expect(AveragePrecision.value(scores: scores.reversed(), labels: labels.reversed()) == value)
        #expect(value > 0.4 && value < 0.5, "\(value)")
    }

    @Test func isNotANumberWhereItIsNotDefined() {
        #expect(AveragePrecision.value(scores: [], labels: []).isNaN)
        #expect(AveragePrecision.value(scores: [1, 2], labels: [false, false]).isNaN)
        #expect(AveragePrecision.value(scores: [1, .nan, 2], labels: [true, false, true]).isNaN)
    }

    @Test func infiniteScoresAreLargerThanAllOthers() {
        let value = AveragePrecision.value(
            scores: [-.infinity, .greatestFiniteMagnitude, .infinity, -.greatestFiniteMagnitude],
            labels: [true, false, true, false])
        // Positives stand first and fourth: the mean of 1/1 and 2/4.
        #expect(value == 0.75)
    }
}
