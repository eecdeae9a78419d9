import Attribution
import Testing

@Suite struct PixelThresholdTests {
    @Test func thresholdsAreTheConstantOrTheMean() {
        #expect(ForegroundRule.above(0.5).threshold(of: [0, 1, 0.25]) == 0.5)
        #expect(ForegroundRule.aboveMean.threshold(of: [0, 1, 0.5, 0.5]) == 0.5)
        // A single-precision sum of these would not grow beyond 2²⁴.
        #expect(ForegroundRule.aboveMean.threshold(of: [Float](repeating: 3, count: 1 << 23)) == 3)
        #expect(ForegroundRule.aboveMean.threshold(of: []) == 0)
    }
}
