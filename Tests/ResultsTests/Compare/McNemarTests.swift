import Results
import Testing

/// The exact test against SciPy 1.17.1's `binomtest`, and Holm's correction by hand.
@Suite struct McNemarTests {
    @Test(arguments: [
        (3, 10, 0.09228515625), (0, 5, 0.0625), (25, 25, 1.0), (400, 500, 0.0009564441369189373), (1, 0, 1.0),
        (2000, 1500, 2.942363832253349e-17), (12, 3, 0.03515625), (0, 0, 1.0),
    ]) func probability(first: Int, second: Int, expected: Double) {
        let found = McNemar.probability(onlyFirst: first, onlySecond: second)
        #expect(abs(found / expected - 1) < 1e-9, "\(found), expected \(expected)")
        #expect(McNemar.probability(onlyFirst: second, onlySecond: first) == found)
    }

    @Test func holm() {
        #expect(Holm.corrected([]) == [])
        #expect(Holm.corrected([0.5]) == [0.5])
        // 0.01 · 3, 0.02 · 2, 0.9 · 1; never below the one before, never above 1.
        let found = Holm.corrected([0.02, 0.9, 0.01])
        #expect(zip(found, [0.04, 0.9, 0.03]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(found)")
        let crowded = Holm.corrected([0.03, 0.04, 0.6])
        #expect(zip(crowded, [0.09, 0.09, 0.6]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(crowded)")
        #expect(Holm.corrected([0.7, 0.8]) == [1, 1])
    }
}
