import Foundation
import Foundations
import Pipeline
import Testing

@testable import Results

/// Claims of the papers' files, decided on rows that were made for it.
@Suite struct ClaimJudgeTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("experiments/papers")

    private func verdict(_ claim: Claim, _ paper: Paper, _ metrics: [Metric]) -> ClaimVerdict {
        ClaimJudge(metrics).verdict(on: claim, of: paper.short)
    }

    @Test func everyClaimHoldsOnOneSetOfRowsAndFailsOnAnother() throws {
        let papers = try Papers(in: Self.folder).papers
        #expect(papers.map(\.short).sorted() == ClaimSample.all.keys.sorted())
        for paper in papers {
            let samples = try #require(ClaimSample.all[paper.short])
            #expect(
                paper.claims.map(\.name).sorted() == samples.keys.sorted(), "each claim of \(paper.short) has its rows")
            for claim in paper.claims {
                let sample = try #require(samples[claim.name])
                let (holds, fails) = (verdict(claim, paper, sample.holds), verdict(claim, paper, sample.fails))
                #expect(holds.verdict == .holds && !holds.isQualified, "\(claim.name): \(holds.mark), \(holds.because)")
                #expect(fails.verdict == .fails && !fails.isQualified, "\(claim.name): \(fails.mark), \(fails.because)")
                for said in [holds, fails] {
                    #expect(said.because.contains(/\d/) && !said.because.contains("{"), "\(said.because)")
                }
                // Where a number is missing, nothing is said.
                let nothing = verdict(claim, paper, [])
                #expect(
                    nothing.verdict == .notMeasured && nothing.because.hasPrefix("there is no"), "\(nothing.because)")
                for index in sample.holds.indices {
                    var metrics = sample.holds
                    metrics[index] = metrics[index].without(.notRun, because: "the reason")
                    let found = verdict(claim, paper, metrics)
                    // What a claim leaves out may be missing, and so may a setting or a caveat.
                    #expect(
                        [.notMeasured, .holds].contains(found.verdict),
                        "\(claim.name): \(found.verdict), \(found.because)")
                }
                #expect((sample.qualified != nil) == (claim.caveat != nil), "\(claim.name)")
                guard let qualified = sample.qualified.map({ verdict(claim, paper, $0) }) else { continue }
                #expect(
                    qualified.mark == "holds*" && qualified.because.contains("; but "),
                    "\(claim.name): \(qualified.mark), \(qualified.because)")
            }
        }
    }

    // MARK: One by one

    private func claim(_ keys: String) throws -> Claim {
        let text = """
            short: P
            reference: arXiv 1
            claims:
              - name: a
                claim: words
                place: section 1
                experiment: e

            """
            + keys.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }.joined(separator: "\n")
        return try #require(try Paper(SpecDocument(text: text, path: "paper.yaml")).claims.first)
    }

    private func said(_ keys: String, _ metrics: [Metric]) throws -> ClaimVerdict {
        ClaimJudge(metrics).verdict(on: try claim(keys), of: "P")
    }

    private static let above = """
        tests:
          - quantity: {metric: a, of: {}}
            above: 0.5
            reads: "{value} of {bound}"
        """

    @Test(arguments: [(0.52, "holds"), (0.48, "fails"), (0.505, "undecided"), (0.495, "undecided")])
    func anIntervalThatSpansTheBoundDecidesNothing(value: Double, expected: String) throws {
        let verdict = try said(Self.above, [ClaimSample.row("a", [:], value, half: 0.01)])
        #expect(verdict.mark == expected)
        #expect(
            verdict.because.hasPrefix("\((value * 1000).rounded() / 10)") && verdict.because.hasSuffix("of 50"),
            "\(verdict.because)")
    }

    @Test func boundsAreInOrOut() throws {
        for (bound, onIt) in [("above", "fails"), ("below", "fails"), ("at-least", "holds"), ("at-most", "holds")] {
            let exact = try said(Self.above.replacing("above", with: bound), [ClaimSample.row("a", [:], 0.5, half: 0)])
            #expect(exact.mark == onIt, "\(bound)")
        }
        #expect(
            try said(Self.above.replacing("above", with: "below"), [ClaimSample.row("a", [:], 0.4)]).mark == "holds")
        #expect(
            try said(Self.above.replacing("above", with: "at-most"), [ClaimSample.row("a", [:], 0.6)]).mark == "fails")
    }

    /// The same images in both numbers: their difference is sure, although neither number is.
    @Test func numbersOfTheSameImagesVaryTogether() throws {
        func metric(_ name: String, _ values: [Double], images: String) -> Metric {
            var metric = ClaimSample.row(name, [:], values.reduce(0, +) / Double(values.count), half: 0.1)
            metric.terms = ImageTerms(
                images: values.indices.map { "\(images)/\($0)" },
                values.enumerated().map { .init(image: $0, numerator: $1) })
            return metric
        }
        let first = (0..<100).map { $0 % 2 == 0 ? 1.0 : 0 }
        // One image more is right.
        let second = first.enumerated().map { $0 == 1 || $0 == 3 || $0 == 5 || $0 == 7 || $0 == 9 ? 1 : $1 }
        let keys = """
            tests:
              - quantity: {difference: [{metric: b, of: {}}, {metric: a, of: {}}]}
                above: 0
                reads: "{value}"
            """
        let same = try said(keys, [metric("a", first, images: "v"), metric("b", second, images: "v")])
        #expect(same.mark == "holds" && same.because.hasPrefix("5.0"), "\(same.because)")
        #expect(
            try said(keys, [metric("a", first, images: "v"), metric("b", second, images: "w")]).mark == "undecided")
    }

    /// Each of twenty layers is above its bound by itself with 95 %, but not all of them with 95 %.
    @Test func allLayersHaveToHoldTogether() throws {
        let keys = """
            tests:
              - every: layer
                quantity: {metric: a, of: {layer: any}}
                above: 0.5
                reads: "{value} in layer {item}"
            """
        func layers(_ count: Int, _ value: Double) -> [Metric] {
            (0..<count).map { ClaimSample.row("a", ["layer": "\($0)"], value, half: 0.01) }
        }
        #expect(try said(keys, layers(1, 0.512)).mark == "holds")
        #expect(try said(keys, layers(20, 0.512)).mark == "undecided")
        #expect(try said(keys, layers(20, 0.52)).mark == "holds")
        // The worst is told, also among those that fail.
        let failing = try said(
            keys,
            layers(3, 0.6) + [ClaimSample.row("a", ["layer": "3"], 0.3), ClaimSample.row("a", ["layer": "4"], 0.2)])
        #expect(failing.mark == "fails" && failing.because.hasSuffix("layer 4"), "\(failing.because)")
        #expect(
            try said(
                keys.replacing("every: layer", with: "every: layer\n    except: [\"3\", \"4\"]"),
                layers(3, 0.6) + layers(5, 0.1).suffix(2)
            ).mark == "holds")
    }

    @Test func mostIsMoreThanHalf() throws {
        let keys = """
            tests:
              - most: pair
                quantity: {metric: a, of: {pair: any}}
                above: 0.5
                reads: "{count} of {of}"
            """
        func pairs(_ values: [Double]) -> [Metric] {
            values.enumerated().map { ClaimSample.row("a", ["pair": "p\($0)"], $1) }
        }
        #expect(
            try said(keys, pairs([0.6, 0.6, 0.4])).because == "2 of 3"
                && said(keys, pairs([0.6, 0.6, 0.4])).mark == "holds")
        #expect(
            try said(keys, pairs([0.6, 0.4])).mark == "fails" && said(keys, pairs([0.4, 0.4, 0.6])).mark == "fails")
        #expect(try said(keys, pairs([0.6, 0.5, 0.4])).mark == "undecided")
    }

    @Test func settingsThatDisagreeDecideThatItDepends() throws {
        let papers = try Papers(in: Self.folder)
        let paper = try #require(papers.papers.first { $0.short == "Surgery" })
        let claim = try #require(paper.claims.first { $0.name == "lights-background" })
        let verdict = verdict(claim, paper, ClaimSample.disagreeing)
        #expect(
            verdict.mark == "depends" && verdict.because.contains("on the first images; mSC 4.0"), "\(verdict.because)")
        // A setting that was not measured decides nothing, and is named.
        let first = self.verdict(claim, paper, [ClaimSample.disagreeing[0]])
        #expect(
            first.mark == "holds" && first.because.hasSuffix("not measured with the paper's 85 on the same"),
            "\(first.because)")
    }

    /// The best of many equals is some way above each of them by chance alone; that decides nothing.
    @Test func theBestOfManyIsNoProof() throws {
        let keys = """
            tests:
              - quantity: {difference: [{metric: a, of: {method: own}}, {largest: {metric: a, of: {method: any}}, over: method, except: [own]}]}
                above: 0
                reads: "{value}"
            """
        var random = SplitMix64(seed: 1, stream: 0)
        var said: [ClaimVerdict.Verdict: Int] = [:]
        for _ in 0..<100 {
            let error = 0.01
            let metrics = (["own"] + (0..<12).map { "m\($0)" }).enumerated().map { index, name in
                ClaimSample.row(
                    "a", ["method": name],
                    0.5 + (index == 0 ? error / 100 : 0) + error
                        * NormalQuantile.of(.random(in: 0.0001..<0.9999, using: &random)), half: 1.96 * error)
            }
            said[try self.said(keys, metrics).verdict, default: 0] += 1
        }
        // The own is the best by next to nothing: "fails" is false, and "holds" is luck.
        #expect(said[.fails, default: 0] <= 5 && said[.holds, default: 0] <= 5, "\(said)")
        // One rival that is surely better decides.
        let rivals = (0..<12).map { ClaimSample.row("a", ["method": "m\($0)"], $0 == 4 ? 0.6 : 0.3, half: 0.02) }
        #expect(
            try self.said(keys, rivals + [ClaimSample.row("a", ["method": "own"], 0.5, half: 0.02)]).mark == "fails")
        #expect(
            try self.said(keys, rivals + [ClaimSample.row("a", ["method": "own"], 0.7, half: 0.02)]).mark == "holds")
    }

    /// No image of 20 changed: that is no proof that few would.
    @Test func whatNeverHappenedMayHappen() throws {
        let keys = """
            tests:
              - quantity: {difference: [{metric: a, of: {}}, {metric: b, of: {}}]}
                at-most: 0.02
                reads: "{value}"
            """
        func pair(_ count: Int) -> [Metric] {
            ["a", "b"].map { name in
                var metric = ClaimSample.row(name, [:], 1, half: 0)
                metric.terms = ImageTerms(
                    images: (0..<count).map { "v/\($0)" }, (0..<count).map { .init(image: $0, numerator: 1) })
                return metric
            }
        }
        #expect(try said(keys, pair(20)).mark == "undecided" && said(keys, pair(1000)).mark == "holds")
    }

    @Test func numbersOfWhichNothingSaysHowSureTheyAreDecideNothing() throws {
        var metric = ClaimSample.row("a", [:], 0.9)
        metric.interval = nil
        let verdict = try said(Self.above, [metric])
        #expect(verdict.mark == "not measured" && verdict.because == "a () has no interval", "\(verdict.because)")
    }

    @Test func aCaveatThatIsNotMeasuredIsSaid() throws {
        let keys =
            Self.above + """

                but:
                  quantity: {metric: b, of: {}}
                  above: 0
                  reads: "but {value}"
                """
        let verdict = try said(keys, [ClaimSample.row("a", [:], 0.9)])
        #expect(
            verdict.mark == "holds" && verdict.because.contains("whether it means less is not known: there is no b"),
            "\(verdict.because)")
        #expect(try said(keys, [ClaimSample.row("a", [:], 0.9), ClaimSample.row("b", [:], 0.1)]).mark == "holds*")
    }

    /// Values of the column that both metrics have; a half of an odd number has the middle in its first half.
    @Test func extremesGoThroughTheValuesThatThereAre() throws {
        let keys = """
            tests:
              - quantity: {largest: {metric: a, of: {layer: any}}, over: layer, among: first-half}
                at-least: 0
                reads: "{value}"
            """
        let metrics = [("10", 0.9), ("2", 0.4), ("9", 0.5), ("0", 0.1), ("1", 0.2)].map {
            ClaimSample.row("a", ["layer": $0.0], $0.1, half: 0)
        }
        // 0, 1 and 2 of 0, 1, 2, 9, 10.
        #expect(try said(keys, metrics).because.hasPrefix("40.0"))
        #expect(try said(keys.replacing("first", with: "last"), metrics).because.hasPrefix("90.0"))
        #expect(
            try said(keys.replacing(", among: first-half", with: ", except: [\"10\"]"), metrics).because.hasPrefix(
                "50.0"))
        #expect(try said(keys.replacing("largest", with: "smallest"), metrics).because.hasPrefix("10.0"))
        // Rows of other columns are other numbers.
        let others = [ClaimSample.row("a", ["layer": "0", "condition": "c"], 1)]
        #expect(try said(keys, metrics + others).because.hasPrefix("40.0") && said(keys, others).mark == "not measured")
    }
}
