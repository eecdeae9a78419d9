import Foundation
import Pipeline
import TestSupport
import Testing

@testable import Results

/// Two sets of results, by hand.
@Suite struct ComparisonTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// An accuracy over ten images of which the first `right` are right.
    private func accuracy(_ right: Int, of count: Int = 10, dataset: String = "val", isPartial: Bool = false) -> Metric
    {
        Metric(
            experiment: "mean-ablation", world: "emoji", model: "m", dataset: dataset,
            subject: ["condition": "baseline"],
            name: "accuracy", value: Double(right) / Double(count), unit: "share", n: count, isPartial: isPartial)
    }

    private func number(_ value: Double, _ name: String = "distance", layer: String = "1", higherIsBetter: Bool = false)
        -> Metric
    {
        Metric(
            experiment: "mean-ablation", world: "emoji", model: "m", dataset: "val", subject: ["layer": layer],
            name: name,
            value: value, higherIsBetter: higherIsBetter, n: 10)
    }

    private func predictions(right: (Int) -> Bool, count: Int = 10) -> PredictionSet {
        PredictionSet(
            experiment: "mean-ablation", condition: ["condition": "baseline"],
            predictions: (0..<count).map {
                Prediction(imageID: "val/\($0)", label: "a", prediction: right($0) ? "a" : "b", margin: 1)
            })
    }

    /// Writes a run and reads it back.
    private func side(
        _ name: String, _ metrics: [Metric], _ predictions: [PredictionSet] = [], text: String = "a: 1\n",
        ending: RunEnding = .done, commit: String = "0123abcd"
    ) throws -> [ComparedRun] {
        let database = try ResultsDatabase(writingTo: folder.file("\(name).sqlite"))
        var description = try Sample.description(text: text)
        description.commit = commit
        let run = try database.begin(description)
        try database.end(run, as: ending, rows: RunRows(metrics: metrics, predictions: predictions))
        return try database.comparedRuns()
    }

    private func outcome(_ comparison: Comparison, _ metric: String = "accuracy") throws -> Comparison.Outcome {
        try #require(comparison.rows.first { $0.metric == metric }).outcome
    }

    /// Verdicts that both have and that are not the same; what only one program knew of is no change.
    @Test func claimsWhoseVerdictChangedAreListed() throws {
        func run(_ name: String, _ verdicts: [(String, ClaimVerdict.Verdict, Bool)]) throws -> [ComparedRun] {
            let database = try ResultsDatabase(writingTo: folder.file("\(name).sqlite"))
            let run = try database.begin(Sample.description())
            let claims = verdicts.map {
                ClaimVerdict(
                    paper: "P", name: $0.0, words: "claim \($0.0)", place: "section 1", experiment: "mean-ablation",
                    verdict: $0.1, isQualified: $0.2,
                    because: "\(name) says so")
            }
            try database.end(run, as: .done, rows: RunRows(metrics: [accuracy(7)]), claims: claims)
            return try database.comparedRuns()
        }
        let base = try run(
            "base", [("a", .holds, false), ("b", .holds, false), ("c", .fails, false), ("d", .holds, false)])
        let head = try run(
            "head", [("a", .holds, false), ("b", .holds, true), ("c", .undecided, false), ("e", .holds, false)])
        let comparison = Comparison(base: base, head: head, tolerance: 0)
        #expect(
            comparison.claims.map(\.head.name) == ["b", "c"]
                && comparison.claims.map(\.base.mark) == ["holds", "fails"])
        #expect(comparison.summary.contains("2 of the papers' claims changed"))
        let text = comparison.text(all: false)
        #expect(
            text.contains("Claims of the papers whose verdict changed") && text.contains("claim c")
                && text.contains("head says so"))
        #expect(
            comparison.markdown(all: false).contains("| claim b | P, section 1 | holds | holds\\* |"),
            "\(comparison.markdown(all: false))")
        let object = try #require(try JSONSerialization.jsonObject(with: comparison.json()) as? [String: Any])
        let claims = try #require(object["claims"] as? [[String: Any]])
        #expect(claims.count == 2 && (claims[1]["head"] as? [String: Any])?["verdict"] as? String == "undecided")
        #expect(Comparison(base: base, head: base, tolerance: 0).claims.isEmpty)
        #expect(!Comparison(base: base, head: base, tolerance: 0).text(all: false).contains("Claims"))
    }

    @Test func accuraciesOfTheSameImagesAreTestedImageByImage() throws {
        // Right on 0…6, and right on 2…9: four images against two… of which the first is right alone on 0 and 1.
        let base = try side("base", [accuracy(7)], [predictions { $0 < 7 }])
        let head = try side("head", [accuracy(8)], [predictions { $0 >= 2 }])
        let comparison = Comparison(base: base, head: head, tolerance: 0)
        guard case .compared(let numbers) = try outcome(comparison) else { Issue.record("not compared"); return }
        #expect(numbers.base == 0.7 && numbers.head == 0.8 && numbers.differs && numbers.n == 10)
        let test = try #require(numbers.test)
        #expect(
            test.method == .mcNemar(onlyBase: 2, onlyHead: 3)
                && test.probability == McNemar.probability(onlyFirst: 2, onlySecond: 3))
        #expect(comparison.differences == 1 && comparison.compared == 1 && comparison.settings.isEmpty)
        #expect(comparison.text(all: false).contains("better, by chance perhaps"))
    }

    @Test func predictionsThatAreNotThoseOfTheNumberTestNothing() throws {
        let base = try side("base", [accuracy(7)], [predictions { $0 < 6 }])
        let head = try side("head", [accuracy(8)], [predictions { $0 < 8 }])
        guard case .compared(let numbers) = try outcome(Comparison(base: base, head: head, tolerance: 0)) else {
            Issue.record("not compared")
            return
        }
        #expect(numbers.test == nil)
    }

    @Test func testsAreCorrectedForTheirNumber() throws {
        func metrics(_ right: Int) -> [Metric] {
            (0..<3).map { index in
                Metric(
                    experiment: "mean-ablation", world: "emoji", model: "m", dataset: "val",
                    subject: ["condition": "c\(index)"],
                    name: "accuracy", value: Double(right) / 10, unit: "share", n: 10)
            }
        }
        func sets(_ right: Int) -> [PredictionSet] {
            (0..<3).map { index in
                var set = predictions { $0 < right }
                set.condition = ["condition": "c\(index)"]
                return set
            }
        }
        let comparison = Comparison(
            base: try side("base", metrics(2), sets(2)), head: try side("head", metrics(8), sets(8)), tolerance: 0)
        let tests = comparison.rows.compactMap {
            if case .compared(let numbers) = $0.outcome { numbers.test } else { nil }
        }
        #expect(
            tests.count == 3
                && tests.allSatisfy { abs($0.probability - 0.03125) < 1e-12 && abs($0.corrected - 0.09375) < 1e-12 })
    }

    @Test func whatCannotBeComparedSaysWhyAndIsNotSetSideBySide() throws {
        let base = try side("base", [accuracy(7), number(3), number(.nan, "bad")])
        func reasons(_ metrics: [Metric], ending: RunEnding = .done, _ metric: String = "accuracy") throws -> [String] {
            let comparison = Comparison(base: base, head: try side("head", metrics, ending: ending), tolerance: 0)
            guard case .notComparable(let reasons) = try outcome(comparison, metric) else { return [] }
            let line = try #require(comparison.text(all: true).split(separator: "\n").first { $0.hasPrefix(metric) })
            #expect(!line.contains("70.0") && line.contains("not comparable: \(reasons[0])"), "\(line)")
            return reasons
        }
        #expect(try reasons([accuracy(7, dataset: "test")]) == ["other data: val, test"])
        #expect(try reasons([accuracy(7, of: 20)]) == ["another n: 10, 20"])
        #expect(try reasons([accuracy(7, isPartial: true)]) == ["head is partial"])
        #expect(try reasons([accuracy(7)], ending: .untrusted) == ["a control failed in head"])
        #expect(try reasons([number(1, "bad")], "bad").contains("base has no value: nan"))
    }

    @Test func whatOneSideLacksIsListed() throws {
        let base = try side("base", [number(3), number(1, "old")])
        let head = try side("head", [number(3), number(1, layer: "2")])
        let comparison = Comparison(base: base, head: head, tolerance: 0)
        #expect(try outcome(comparison, "old") == .onlyInBase)
        #expect(comparison.rows.contains { $0.outcome == .onlyInHead && $0.subject == ["layer": "2"] })
        #expect(comparison.compared == 1 && comparison.differences == 0)
        let alone = Comparison(base: base, head: [], tolerance: 0)
        #expect(alone.onlyInBase == ["mean-ablation (x)"] && alone.rows.isEmpty)
    }

    @Test func theToleranceIsRelativeToLargeNumbers() throws {
        let base = try side("base", [number(1000), number(0.001, "small")])
        let head = try side("head", [number(1000.5), number(0.0011, "small")])
        func differs(_ tolerance: Double) -> [String] {
            Comparison(base: base, head: head, tolerance: tolerance).rows.filter {
                if case .compared(let numbers) = $0.outcome { numbers.differs } else { false }
            }.map(\.metric)
        }
        #expect(differs(0) == ["distance", "small"] && differs(1e-4 + 1e-9) == ["distance"] && differs(1e-3) == [])
        // Lower is better here.
        let text = Comparison(base: base, head: head, tolerance: 0).text(all: false)
        #expect(text.split(separator: "\n").contains { $0.hasPrefix("distance") && $0.hasSuffix("worse") })
    }

    @Test func specsAndCommitsThatDifferAreSaid() throws {
        let base = try side("base", [number(1)], text: "a: 1\n# words\nb: 2\n")
        let head = try side("head", [number(1)], text: "a: 1\n# other words\nb: 3\n", commit: "feedbeef")
        let settings = Comparison(base: base, head: head, tolerance: 0).settings
        #expect(settings.map(\.what) == ["commit", "spec"])
        #expect(
            settings.map(\.base) == ["0123abcd with changes", "b: 2"]
                && settings.map(\.head) == ["feedbeef with changes", "b: 3"])
    }

    @Test func theLatestRunOfEachExperimentCounts() throws {
        _ = try side("base", [number(1)], commit: "aaaa1111")
        let runs = try side("base", [number(2)], commit: "bbbb2222")
        #expect(runs.count == 1 && runs[0].metrics == [number(2)])
        let database = try ResultsDatabase(readingFrom: folder.file("base.sqlite"))
        #expect(try database.comparedRuns(commit: "aaaa").map(\.metrics) == [[number(1)]])
        #expect(try database.comparedRuns(commit: "cccc").isEmpty)
    }

    @Test func everyFormHasEveryNumber() throws {
        let base = try side("base", [accuracy(7), number(3)], [predictions { $0 < 7 }])
        let head = try side("head", [accuracy(8), number(3), number(4, "new|<b>")], [predictions { $0 < 8 }])
        let comparison = Comparison(base: base, head: head, tolerance: 0)
        let csv = String(decoding: comparison.csv(), as: UTF8.self).split(separator: "\r\n")
        #expect(
            csv.count == 4 && csv[1].contains("differs,0.7,0.8,") && csv[2].contains("same,3.0,3.0,0.0")
                && csv[3].contains("only in head"))
        let json = try #require(JSONSerialization.jsonObject(with: comparison.json()) as? [String: Any])
        #expect((json["rows"] as? [[String: Any]])?.count == 3 && json["differences"] as? Int == 1)
        let markdown = comparison.markdown(all: true)
        #expect(
            markdown.contains("| accuracy | condition baseline | 70.0 | 80.0 | +10.000 |")
                && markdown.contains("new\\|&lt;b>"))
        #expect(!comparison.markdown(all: false).contains("| distance |"))
        #expect(comparison.summary == "2 numbers compared, 1 differ; 1 only in head.")
    }
}
