import Foundation
import Foundations
import Testing

@testable import Pipeline

@Suite struct JackknifeTests {

    private func mean(_ values: [Double]) -> ([Bool]) -> [Double] {
        { counts in
            let kept = zip(values, counts).filter(\.1).map(\.0)
            return [kept.reduce(0, +) / Double(kept.count)]
        }
    }

    private func standardError(_ values: [Double]) -> Double {
        let (n, mean) = (Double(values.count), values.reduce(0, +) / Double(values.count))
        return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1) / n).squareRoot()
    }

    private static let anything = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude

    /// Where every group is one image, a mean's error is s/√n, and its interval that times Student's t of n − 1.
    @Test func ofAMeanItIsTheStandardError() throws {
        var generator = SplitMix64(seed: 1, stream: 0)
        for (count, t, tolerance) in [
            (3, 4.302653, 0.12), (6, 2.570582, 0.015), (17, 2.119905, 1e-3), (100, 1.984217, 1e-4),
        ] {
            let values = (0..<count).map { _ in Double.random(in: -3..<5, using: &generator) }
            let interval = try #require(Jackknife(seed: 2, bounds: Self.anything).intervals(of: count, mean(values))[0])
            let (half, expected) = ((interval.upper - interval.lower) / 2, t * standardError(values))
            #expect(abs(half / expected - 1) < tolerance, "\(count): \(half), expected \(expected)")
            let (middle, value) = ((interval.upper + interval.lower) / 2, values.reduce(0, +) / Double(count))
            #expect(abs(middle - value) < 1e-12, "\(count): about \(middle), the mean is \(value)")
            #expect(interval.replicates == count && interval.level == 0.95 && interval.seed == 2)
            #expect(interval.method == "delete-a-group jackknife" && interval.resamplingUnit == "image")
        }
    }

    /// With fewer groups than images the groups differ by chance; they are of one size, give or take an image.
    @Test func everyImageIsLeftOutOnceAndGroupsAreOfOneSize() {
        for (units, groups) in [(1000, 100), (57, 10), (101, 100), (7, 100), (2, 2)] {
            var left = [[Int]]()
            _ = Jackknife(seed: 3, groups: groups).intervals(of: units) { counts in
                #expect(counts.count == units)
                left.append(counts.indices.filter { !counts[$0] })
                return [0]
            }
            #expect(left.removeFirst().isEmpty, "the first is the number itself")
            #expect(left.count == min(groups, units) && left.flatMap { $0 }.sorted() == Array(0..<units))
            let sizes = left.map(\.count)
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(units) in \(groups): \(sizes)")
            // Neighbours in a set are much alike, and so are not left out together.
            if units == 1000 {
                #expect(left.contains { group in zip(group, group.dropFirst()).contains { $1 - $0 != 100 } })
            }
        }
    }

    @Test func intervalsDependOnSeedAndValuesAlone() throws {
        let statistic = mean((0..<501).map { Double($0 * $0 % 17) / 17 })
        let interval = try #require(Jackknife(seed: 5).intervals(of: 501, statistic)[0])
        #expect(Jackknife(seed: 5).intervals(of: 501, statistic) == [interval])
        #expect(Jackknife(seed: 6).intervals(of: 501, statistic) != [interval])
        #expect(interval.replicates == 100)
        #expect(
            Jackknife(seed: 5, groups: 20, resamplingUnit: "label").intervals(of: 501, statistic)[0]?.replicates == 20)
        #expect(Jackknife(seed: 5, resamplingUnit: "label").intervals(of: 501, statistic)[0]?.resamplingUnit == "label")
    }

    @Test func whereLeavingOutSaysNothingThereIsNoInterval() throws {
        #expect(Jackknife().intervals(of: 0) { _ in [1, 2] } == [nil, nil])
        #expect(Jackknife().intervals(of: 1) { _ in [1] } == [nil])
        #expect(Jackknife(groups: 1).intervals(of: 50, mean([Double](repeating: 1, count: 50))) == [nil])
        // The number itself, or one of those without a group; the other numbers keep their intervals.
        let values: [Double] = [1, 2, 3, 4]
        for bad in [Double.nan, .infinity] {
            let intervals = Jackknife().intervals(of: 4) { counts in
                let sum = mean(values)(counts)[0]
                return [counts.allSatisfy { $0 } ? bad : sum, sum, counts[2] ? sum : bad]
            }
            #expect(intervals[0] == nil && intervals[1] != nil && intervals[2] == nil)
        }
        // Of a share it stays one.
        let share = try #require(Jackknife().intervals(of: 4, mean([0, 0, 0, 1]))[0])
        #expect(share.lower == 0 && share.upper > 0.25 && share.upper <= 1)
        let constant = try #require(Jackknife().intervals(of: 64, mean([Double](repeating: 0.25, count: 64)))[0])
        #expect(constant.lower == 0.25 && constant.upper == 0.25)
    }

    /// What it is for: a ratio averaged over labels of which most have few images.
    @Test func theIntervalHoldsTheTrueValueAsOftenAsItSays() throws {
        var generator = SplitMix64(seed: 12, stream: 0)
        let (labels, images, trials) = (30, 120, 300)
        /// Of an image that shows a label: whether it is found, which differs from label to label.
        let probabilities = (0..<labels).map { 0.2 + 0.6 * Double($0) / Double(labels - 1) }
        var (held, heldMean) = (0, 0)
        for trial in 0..<trials {
            // Four images a label, so that no label is lost with one image.
            let shown = (0..<images).map { $0 % labels }
            let found = shown.map { Double.random(in: 0..<1, using: &generator) < probabilities[$0] ? 1.0 : 0 }
            func statistics(_ counts: [Bool]) -> [Double] {
                var (sums, seen) = ([Double](repeating: 0, count: labels), [Double](repeating: 0, count: labels))
                for image in 0..<images where counts[image] {
                    sums[shown[image]] += found[image]
                    seen[shown[image]] += 1
                }
                let ratios = zip(sums, seen).filter { $0.1 > 0 }.map { $0.0 / $0.1 }
                return [ratios.reduce(0, +) / Double(ratios.count), sums.reduce(0, +) / seen.reduce(0, +)]
            }
            let intervals = Jackknife(seed: UInt64(trial), groups: 40).intervals(of: images, statistics)
            let (macro, micro) = (try #require(intervals[0]), try #require(intervals[1]))
            if macro.lower <= 0.5, 0.5 <= macro.upper { held += 1 }
            if micro.lower <= 0.5, 0.5 <= micro.upper { heldMean += 1 }
        }
        // 95 % of 300 is 285, with a standard deviation of 3.8; groups of several labels' images make it too wide.
        #expect((272...300).contains(held), "\(held) of \(trials)")
        #expect((272...300).contains(heldMean), "\(heldMean) of \(trials)")
    }
}
