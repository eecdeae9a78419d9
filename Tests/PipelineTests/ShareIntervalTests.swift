import Foundation
import Foundations
import Testing

@testable import Pipeline

/// Intervals of shares beside SciPy and statsmodels; `scripts/make_statistics_fixtures.py` writes the fixture.
@Suite struct ShareIntervalTests {
    private struct Fixture: Decodable {
        struct Quantile: Decodable {
            let p, z: Double
        }

        struct Wilson: Decodable {
            let count, n: Double
            let level: Double
            let interval: [Double]
        }

        struct DesignEffect: Decodable {
            /// [groups][clusters][successes, units]
            let groups: [[[Int]]]
            let effect: Double
        }

        let quantiles: [Quantile]
        let wilson: [Wilson]
        let designEffects: [DesignEffect]
    }

    private let fixture: Fixture

    init() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/statistics.json")
        fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }

    @Test func quantilesAreSciPys() {
        for item in fixture.quantiles {
            let z = NormalQuantile.of(item.p)
            #expect(abs(z - item.z) <= 1e-12 * max(1, abs(item.z)), "\(item.p): \(z), expected \(item.z)")
        }
        #expect(fixture.quantiles.count == 10)
    }

    @Test func intervalsAreStatsmodelsWilson() throws {
        for item in fixture.wilson {
            let interval = try #require(ShareInterval(level: item.level).interval(item.count / item.n, of: item.n))
            #expect(
                abs(interval.lower - item.interval[0]) < 1e-12 && abs(interval.upper - item.interval[1]) < 1e-12,
                "\(item)")
            #expect(
                interval.level == item.level && interval.method == "Wilson score" && interval.seed == nil
                    && interval.replicates == nil)
        }
        #expect(fixture.wilson.count == 7)
    }

    @Test func designEffectsAreThoseOfTheAnalysisOfVariance() {
        for item in fixture.designEffects {
            let effect = ShareInterval.designEffect(item.groups.map { $0.map { (successes: $0[0], units: $0[1]) } })
            #expect(abs(effect - item.effect) < 1e-9, "\(effect), expected \(item.effect)")
        }
        #expect(fixture.designEffects.count == 4 && fixture.designEffects[0].effect > 6)
    }

    /// Where clusters say no more than their units, and where they say nothing.
    @Test func clustersThatSayNothingHaveNoEffect() {
        #expect(ShareInterval.designEffect([]) == 1)
        #expect(ShareInterval.designEffect([[(1, 2)]]) == 1)
        #expect(ShareInterval.designEffect([[(1, 1), (0, 1)]]) == 1)
        #expect(ShareInterval.designEffect([[(0, 4), (0, 4)]]) == 1)
        // More alike between than within.
        #expect(ShareInterval.designEffect([[(2, 4), (2, 4), (2, 4)]]) == 1)
        // All or none: a cluster is one unit, whatever stands beside it without units.
        #expect(abs(ShareInterval.designEffect([[(4, 4), (0, 4), (4, 4), (0, 0)]]) - 4) < 1e-12)
    }

    @Test func clustersWidenTheInterval() throws {
        let interval = try #require(ShareInterval(unit: "picture").interval(0.25, of: 40, designEffect: 2.5))
        let alone = try #require(ShareInterval().interval(0.25, of: 16))
        #expect(
            interval.lower == alone.lower && interval.upper == alone.upper
                && interval.method == "Wilson score, design effect 2.5")
        #expect(interval.resamplingUnit == "picture")
    }

    @Test func nothingHasNoInterval() {
        #expect(
            ShareInterval().interval(of: []) == nil && ShareInterval().interval(.nan, of: 3) == nil
                && ShareInterval().interval(1.5, of: 3) == nil)
        #expect(ShareInterval().interval(of: [true, false])?.lower == ShareInterval().interval(0.5, of: 2)?.lower)
    }

    /// 3 in 1000 of 300 units: a bootstrap's percentiles cover it in 58 of 100 studies.
    @Test func rareSharesAreCovered() {
        var covered = (wilson: 0, bootstrap: 0)
        var generator = SplitMix64(seed: 11, stream: 0)
        for study in 0..<300 {
            let values = (0..<300).map { _ in Double.random(in: 0..<1, using: &generator) < 0.003 }
            func holds(_ interval: Metric.Interval?) -> Bool {
                interval.map { $0.lower <= 0.003 && 0.003 <= $0.upper } ?? false
            }
            if holds(ShareInterval().interval(of: values)) { covered.wilson += 1 }
            if holds(Bootstrap(seed: UInt64(study), replicates: 200).interval(ofMean: values.map { $0 ? 1 : 0 })) {
                covered.bootstrap += 1
            }
        }
        #expect(covered.wilson > 280 && covered.bootstrap < 200, "\(covered)")
    }
}
