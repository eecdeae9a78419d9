import Testing

@testable import Experiments

@Suite struct RankCorrelationTests {
    private let first: [Float] = [3.5, -1.25, 0.5, 0.5, 7, 2, 0.5, -1.25]
    private let second: [Float] = [0.1, 0.4, 0.4, -2, 9, 0.4, 3, -7]
    private let ascending: [Float] = [1, 2, 3, 4, 5, 6, 7, 8]

    private func correlation(_ a: [Float], _ b: [Float]) -> Float {
        RankCorrelation.ofNormalised(RankCorrelation.normalisedRanks(a), RankCorrelation.normalisedRanks(b))
    }

    /// scipy.stats.spearmanr of scipy 1.17.1.
    @Test func tiesAreRankedAsSciPyDoes() {
        #expect(abs(correlation(first, second) - 0.4528391448839649) < 1e-6)
        #expect(abs(correlation(ascending, first) + 0.19641144645609454) < 1e-6)
        #expect(abs(correlation(ascending, second) - 0.024397501823713332) < 1e-6)
        #expect(abs(correlation(first, first.map { -$0 }) + 1) < 1e-6)
    }

    @Test func onlyTheOrderCounts() {
        let warped = ascending.map { $0 * $0 * $0 - 100 }
        #expect(abs(correlation(ascending, warped) - 1) < 1e-6)
        #expect(RankCorrelation.normalisedRanks(ascending) == RankCorrelation.normalisedRanks(warped))
    }

    @Test func ranksAreCentredAndOfUnitLength() {
        let ranks = RankCorrelation.normalisedRanks(first)
        #expect(abs(ranks.reduce(0, +)) < 1e-6)
        #expect(abs(ranks.reduce(0) { $0 + $1 * $1 } - 1) < 1e-6)
        #expect(ranks[2] == ranks[3] && ranks[2] == ranks[6] && ranks[1] == ranks[7])
    }

    @Test func equalValuesCorrelateWithNothing() {
        #expect(RankCorrelation.normalisedRanks([4, 4, 4]) == [0, 0, 0])
        #expect(correlation([4, 4, 4, 4, 4, 4, 4, 4], first) == 0)
        #expect(RankCorrelation.normalisedRanks([]) == [])
        #expect(RankCorrelation.normalisedRanks([1]) == [0])
    }
}
