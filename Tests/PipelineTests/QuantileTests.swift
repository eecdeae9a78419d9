import Foundations
import Testing

@testable import Pipeline

@Suite struct QuantileTests {
    @Test func neighboursAreInterpolatedLinearly() {
        // The values of numpy.quantile with its default method.
        #expect(Quantile.of([1, 2, 3, 4], 0.25) == 1.75)
        #expect(Quantile.of([1, 2, 3, 4], 0.5) == 2.5)
        #expect(abs(Quantile.of([1, 2, 4, 8, 16], 0.95) - 14.4) < 1e-12)
        #expect(Quantile.of([1, 2, 4], 0) == 1 && Quantile.of([1, 2, 4], 1) == 4)
        #expect(Quantile.of([7], 0.3) == 7)
        #expect(Quantile.of([], 0.5).isNaN)
    }

    /// Each replicate written out and sorted, as the definition has it.
    @Test(arguments: [0, 0.05, 0.3, 0.5, 0.95, 1])
    func theIntervalIsThatOfQuantilesOfResamples(probability: Double) throws {
        let values: [Double] = [5, 1, 4, 4, 9, 2, 6, 5, 3, 5, 8, 9, 7]
        let bootstrap = Bootstrap(seed: 3, replicates: 60)
        let sorted = values.sorted()
        let quantiles = (0..<60).map { replicate in
            let resample = sorted.indices.flatMap { index -> [Double] in
                var once = [Double](repeating: 0, count: sorted.count)
                once[index] = 1
                let times = bootstrap.resampledSum(once, replicate: replicate)
                return [Double](repeating: sorted[index], count: Int(times))
            }
            #expect(resample.count == sorted.count)
            return Quantile.of(resample, probability)
        }.sorted()
        let interval = try #require(bootstrap.interval(ofQuantile: probability, of: values))
        #expect(abs(interval.lower - Quantile.of(quantiles, 0.025)) < 1e-12)
        #expect(abs(interval.upper - Quantile.of(quantiles, 0.975)) < 1e-12)
    }

    @Test func theIntervalOfAMedianIsThatOfItsOrderStatistics() throws {
        // Ranks of a median have a standard deviation of √n / 2.
        let values = (0..<1001).map { Double(($0 * 387) % 1001) }
        let interval = try #require(Bootstrap(replicates: 4000).interval(ofQuantile: 0.5, of: values))
        let half = 1.96 * (1001.0).squareRoot() / 2
        #expect(abs(interval.lower - (500 - half)) < 0.12 * half, "\(interval)")
        #expect(abs(interval.upper - (500 + half)) < 0.12 * half, "\(interval)")
    }

    @Test func theIntervalHoldsTheTrueQuantileAboutAsOftenAsItSays() throws {
        var generator = SplitMix64(seed: 12, stream: 0)
        var held = 0
        for trial in 0..<300 {
            let values = (0..<200).map { _ in Double.random(in: 0..<1, using: &generator) }
            let interval = try #require(
                Bootstrap(seed: UInt64(trial), replicates: 400).interval(ofQuantile: 0.25, of: values))
            if interval.lower <= 0.25 && 0.25 <= interval.upper { held += 1 }
        }
        // 95 % of 300 is 285, with a standard deviation of 3.8.
        #expect((270...297).contains(held), "\(held)")
    }

    @Test func whereResamplingSaysNothingThereIsNoInterval() throws {
        #expect(Bootstrap().interval(ofQuantile: 0.5, of: []) == nil)
        #expect(Bootstrap().interval(ofQuantile: 0.5, of: [1]) == nil)
        #expect(Bootstrap().interval(ofQuantile: 0.5, of: [1, .nan]) == nil)
        #expect(Bootstrap().interval(ofQuantile: 1.5, of: [1, 2]) == nil)
        #expect(Bootstrap().interval(ofQuantile: .nan, of: [1, 2]) == nil)
        let constant = try #require(Bootstrap().interval(ofQuantile: 0.9, of: [0.25, 0.25, 0.25]))
        #expect(constant.lower == 0.25 && constant.upper == 0.25)
    }
}
