import Foundation
import Foundations
import Testing

@testable import Pipeline

@Suite struct BootstrapTests {
    @Test func intervalsDependOnSeedAndValuesAlone() throws {
        let values = (0..<501).map { Double($0 % 7) }
        let interval = try #require(Bootstrap(seed: 5).interval(ofMean: values))
        #expect(Bootstrap(seed: 5).interval(ofMean: values) == interval)
        #expect(Bootstrap(seed: 6).interval(ofMean: values) != interval)
        #expect(interval.replicates == 1000 && interval.seed == 5 && interval.level == 0.95)
        #expect(interval.resamplingUnit == "image")
    }

    @Test func theIntervalOfAShareIsThatOfTheBinomialDistribution() throws {
        for (n, hits) in [(4000, 3480), (1000, 500), (400, 380)] {
            let share = Double(hits) / Double(n)
            let values = (0..<n).map { $0 < hits }
            let interval = try #require(Bootstrap(replicates: 4000).interval(ofMean: values.map { $0 ? 1 : 0 }))
            let half = 1.96 * (share * (1 - share) / Double(n)).squareRoot()
            #expect(abs(interval.lower - (share - half)) < 0.12 * half)
            #expect(abs(interval.upper - (share + half)) < 0.12 * half)
        }
    }

    @Test func theIntervalHoldsTheTrueMeanAsOftenAsItSays() throws {
        var generator = SplitMix64(seed: 11, stream: 0)
        var held = 0
        for trial in 0..<300 {
            let values = (0..<200).map { _ in Double.random(in: 0..<1, using: &generator) < 0.3 }
            let interval = try #require(
                Bootstrap(seed: UInt64(trial), replicates: 400).interval(ofMean: values.map { $0 ? 1 : 0 }))
            if interval.lower <= 0.3 && 0.3 <= interval.upper { held += 1 }
        }
        // 95 % of 300 is 285, with a standard deviation of 3.8.
        #expect((270...297).contains(held))
    }

    @Test func constantsHaveAnIntervalWithoutWidth() throws {
        let interval = try #require(
            Bootstrap().interval(ofMean: [Double](repeating: 0.25, count: 64)))
        #expect(interval.lower == 0.25 && interval.upper == 0.25)
    }

    @Test func whereResamplingSaysNothingThereIsNoInterval() {
        #expect(Bootstrap().interval(ofMean: []) == nil)
        #expect(Bootstrap().interval(ofMean: [1]) == nil)
        #expect(Bootstrap().interval(ofMean: [1, .nan]) == nil)
        #expect(Bootstrap().interval(ofMean: [1, .infinity]) == nil)
        #expect(Bootstrap(replicates: 1).interval(ofMean: [1, 2]) == nil)
        #expect(Bootstrap(level: 1).interval(ofMean: [1, 2]) == nil)
    }

    @Test func everyImageIsDrawnEquallyOften() {
        // A replicate of 13 draws takes each of 13 images once on average, and never draws others.
        for index in 0..<13 {
            var values = [Double](repeating: 0, count: 13)
            values[index] = 1
            let drawn = (0..<1000).reduce(0) {
                $0 + Bootstrap(seed: 1).resampledSum(values, replicate: $1)
            }
            #expect(abs(drawn - 1000) < 5 * 31)
        }
        let ones = [Double](repeating: 1, count: 13)
        #expect(Bootstrap().resampledSum(ones, replicate: 0) == 13)
    }

    // MARK: Sums

    private static let values = (0..<77).map { Double($0 * $0 % 13) / 8 }

    @Test func aMeanAsARatioOfTwoSumsHasTheIntervalOfTheMean() throws {
        // Of two replicates both decide the interval: their draws have to be the same ones.
        for bootstrap in [Bootstrap(seed: 3), Bootstrap(seed: 3, replicates: 2)] {
            let expected = try #require(bootstrap.interval(ofMean: Self.values))
            let found = bootstrap.intervals(ofSums: Self.values.map { [$0, 1] }, [{ $0[0] / $0[1] }])
            #expect(found == [expected])
            #expect(expected.upper > expected.lower)
        }
    }

    @Test func statisticsOfOneCallShareTheirDraws() throws {
        let rows = Self.values.map { [$0, 1] }
        let found = Bootstrap(seed: 3).intervals(
            ofSums: rows, [{ $0[0] / $0[1] }, { 2 * $0[0] / $0[1] }, { $0[1] }, { $0[0] - $0[0] }])
        let (first, second) = (try #require(found[0]), try #require(found[1]))
        #expect(second.lower == 2 * first.lower && second.upper == 2 * first.upper)
        // As many rows are drawn as there are.
        #expect(found[2]?.lower == 77 && found[2]?.upper == 77)
        #expect(found[3]?.lower == 0 && found[3]?.upper == 0)
        #expect(Bootstrap(seed: 4).intervals(ofSums: rows, [{ $0[0] / $0[1] }]) != [first])
    }

    /// How many columns are added up at once is of no account, to the last bit.
    @Test func aColumnHasTheSameIntervalBesideAnyNumberOfOthers() throws {
        let values = Self.values.map { ($0 + 0.1) / 3 }
        for bootstrap in [Bootstrap(seed: 3), Bootstrap(seed: 3, replicates: 2)] {
            let alone = bootstrap.intervals(ofSums: values.map { [$0] }, [{ $0[0] }])
            for width in 1...10 {
                let rows = values.map { value in (0..<width).map { $0 == width - 1 ? value : Double($0) } }
                #expect(bootstrap.intervals(ofSums: rows, [{ $0[width - 1] }]) == alone, "\(width) columns")
            }
        }
    }

    @Test func aRatioOfSumsIsNoMeanOfRatios() throws {
        // 1/2 and 3/6 alike, so that every draw has the same ratio, whatever their weights.
        let interval = try #require(
            Bootstrap().intervals(ofSums: (0..<40).map { $0 < 20 ? [1, 2] : [3, 6] }, [{ $0[0] / $0[1] }])[0])
        #expect(interval.lower == 0.5 && interval.upper == 0.5)
    }

    @Test func whereSumsSayNothingThereIsNoInterval() {
        func intervals(_ rows: [[Double]], _ bootstrap: Bootstrap = Bootstrap()) -> [Metric.Interval?] {
            bootstrap.intervals(ofSums: rows, [{ $0.first ?? 0 }, { 1 / ($0.first ?? 0) }])
        }
        #expect(intervals([]) == [nil, nil])
        #expect(intervals([[1]]) == [nil, nil])
        #expect(intervals([[1], [.nan]]) == [nil, nil])
        #expect(intervals([[1], [.infinity]]) == [nil, nil])
        #expect(intervals([[1], [1, 2]]) == [nil, nil])
        #expect(intervals([[1], [2]], Bootstrap(replicates: 1)) == [nil, nil])
        #expect(intervals([[1], [2]], Bootstrap(level: 1)) == [nil, nil])
        // Some replicate draws the zero alone: its ratio is infinite, the other statistic has its interval.
        let oneSided = intervals([[0], [1]])
        #expect(oneSided[0] != nil && oneSided[1] == nil)
    }
}

@Suite struct MetricTests {
    @Test func theStatusFollowsFromTheNumber() {
        #expect(metric(0.5).status == .ok)
        #expect(metric(.nan).status == .nan && metric(.nan).value == nil)
        #expect(metric(-.infinity).status == .inf)
        #expect(metric(0, n: 0).status == .empty)
        let interval = Bootstrap().interval(ofMean: [1, 2, 3])
        #expect(interval != nil && metric(.nan, interval: interval).interval == nil)
    }

    @Test func aRowThatDidNotRunKeepsItsPlaceAndReason() {
        let row = metric(1).without(.notRun, because: "layer 11 has no later attention")
        #expect(row.status == .notRun && row.value == nil)
        #expect(row.note == "layer 11 has no later attention")
        #expect(metric(1).without(.ok, because: "x").status == .failed)
    }

    @Test func theVerdictComparesIntervalAndRounding() {
        let paper = Metric.PaperValue(0.632, source: "Table 1", halfUnit: 0.0005)
        func verdict(
            _ lower: Double, _ upper: Double, comparable: Bool = true, partial: Bool = false
        ) -> Metric.Verdict {
            let interval = Metric.Interval(
                lower: lower, upper: upper, level: 0.95, method: "", replicates: 1, seed: 0,
                resamplingUnit: "image")
            var row = metric((lower + upper) / 2, interval: interval)
            row.paper = paper
            row.isComparable = comparable
            row.isPartial = partial
            return row.verdict
        }
        #expect(verdict(0.62, 0.64) == .match)
        #expect(verdict(0.6325, 0.65) == .match)
        #expect(verdict(0.633, 0.65) == .differs)
        #expect(verdict(0.60, 0.631) == .differs)
        #expect(verdict(0.62, 0.64, comparable: false) == .notComparable)
        #expect(verdict(0.62, 0.64, partial: true) == .notComparable)
        #expect(metric(0.5).verdict == .noPaperValue)
        var point = metric(0.6322)
        point.paper = paper
        point.isComparable = true
        #expect(point.verdict == .match)
    }

    @Test func metricsAreArtefactsOfJSON() throws {
        let rows = [metric(0.5), metric(.nan), metric(1).without(.failed, because: "x")]
        #expect(try ArtefactJSON.decode([Metric].self, from: ArtefactJSON.encode(rows)) == rows)
    }

    @Test func aMarginThatIsNotFiniteIsNone() {
        #expect(Prediction(imageID: "a", label: "b", prediction: "c", margin: .nan).margin == nil)
    }

    private func metric(_ value: Double, n: Int = 10, interval: Metric.Interval? = nil) -> Metric {
        Metric(
            experiment: "e", world: "w", model: "m", dataset: "d", subject: ["layer": "9"],
            name: "accuracy", value: value, n: n, interval: interval)
    }
}
