import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Papers' files: what is read, and where what cannot be is said to stand.
@Suite struct PaperTests {
    static let text = """
        short: P
        reference: arXiv 1
        values:
          - table: Table 1
            decimals: 1
            settings: {model: m, layer: 9}
            numbers:
              - {row: a, column: accuracy, value: 29.6}
              - {row: b, column: accuracy, value: 52.3, settings: {layer: 8}}
        claims:
          - name: first
            claim: words
            place: section 1
            experiment: e
            tests:
              - every: layer
                quantity: {difference: [{metric: accuracy, of: {condition: baseline}}, {metric: accuracy, of: {layer: any}}]}
                at-most: 0.02
                reads: "{value}"
            settings:
              - {called: here}
              - {called: there, of: {sentences: other}}
        """

    private func paper(_ edit: (String) -> String = { $0 }) throws -> Paper {
        try Paper(SpecDocument(text: edit(Self.text), path: "paper.yaml"))
    }

    @Test func numbersHaveTheirSettings() throws {
        let table = try #require(try paper().tables.first)
        #expect(
            table.name == "Table 1" && table.rows == ["a", "b"] && table["a", "mIoU"] == nil
                && table["c", "accuracy"] == nil)
        let (first, second) = (try #require(table["a", "accuracy"]), try #require(table["b", "accuracy"]))
        #expect(
            first.value.value == 0.296 && first.value.halfUnit == 0.0005
                && first.value.source == "arXiv 1, Table 1, row 'a', accuracy")
        #expect(first.settings == ["model": "m", "layer": "9"] && second.settings == ["model": "m", "layer": "8"])
        #expect(first.differences(from: ["model": "m", "layer": "9"]) == [])
        #expect(first.differences(from: ["model": "n", "layer": "9", "gap": "1"]) == ["gap", "model"])
        #expect(first.differences(from: [:]) == ["layer", "model"])
    }

    @Test func claimsHaveTheirTests() throws {
        let claim = try #require(try paper().claims.first)
        #expect(claim.name == "first" && claim.words == "words" && claim.experiment == "e" && claim.caveat == nil)
        #expect(
            claim.settings.map(\.words) == ["here", "there"]
                && claim.settings[1].columns == [.init("sentences", "other")])
        let test = try #require(claim.tests.first)
        #expect(test.bound == .atMost(0.02) && test.quantifier?.0 == .every && test.quantifier?.over.column == "layer")
        #expect(test.quantity.metrics.map(\.name) == ["accuracy", "accuracy"])
        let third = test.quantity.with("layer", "3")
        #expect(
            third == .difference(.metric("accuracy", ["condition": "baseline"]), .metric("accuracy", ["layer": "3"])))
        #expect(third.adding([.init("s", "t")]).metrics[1].subject == ["layer": "3", "s": "t"])
    }

    @Test(arguments: [
        ("short: P", "shorts: P", "shorts"), ("value: 29.6", "value: many", "value"),
        ("decimals: 1", "decimals: 9", "decimals"),
        ("{row: b,", "{row: a,", "'a', accuracy stands twice"),
        ("at-most: 0.02", "at-most: 0.02\n        above: 1", "one of"),
        ("at-most: 0.02", "atmost: 0.02", "atmost"), ("        every: layer\n", "", "nothing goes through"),
        ("every: layer", "every: layer\n        most: layer", "one column"),
        ("every: layer", "every: pair", "nothing goes through"),
        ("{layer: any}", "{layer: 1}", "no metric has 'any'"),
        ("{layer: any}", "{layer: any, pair: any}", "nothing goes through the column 'pair'"),
        ("{difference: [{metric: accuracy, of: {condition: baseline}}, ", "{difference: [", "two quantities"),
        ("{difference: [", "{largest: {metric: a, of: {layer: any}}, difference: [", "one of 'metric'"),
        ("{metric: accuracy, of: {condition: baseline}}", "{metric: accuracy, over: layer}", "no such key"),
        (
            "quantity: {difference: [{metric: accuracy, of: {condition: baseline}}, {metric: accuracy, of: {layer: any}}]}",
            "quantity: {largest: {metric: a, of: {pair: 1}}, over: pair}", "no metric has 'any'"
        ),
        ("reads: \"{value}\"\n", "\n", "reads"),
    ])
    func whatCannotBeReadIsSaidWithItsPlace(old: String, new: String, words: String) throws {
        let edited = Self.text.replacing(
            "- every: layer\n        quantity", with: "-\n        every: layer\n        quantity")
        #expect(edited.contains(old), "\(old)")
        let error = #expect(throws: SpecError.self, "\(new)") {
            try Paper(SpecDocument(text: edited.replacing(old, with: new), path: "paper.yaml"))
        }
        #expect(
            error.map { "\($0.faults.map(\.kind))".replacing("\\'", with: "'").contains(words) } == true,
            "\(String(describing: error))")
        #expect(error?.faults[0].position != nil && error?.faults[0].path == "paper.yaml")
    }

    @Test func claimsAndTablesStandOnce() throws {
        let twice = Self.text.replacing(
            "  - name: first",
            with: """
                  - name: first
                    claim: w
                    place: p
                    experiment: e
                    tests:
                      - {quantity: {metric: a}, above: 0, reads: x}
                  - name: first
                """)
        let error = #expect(throws: SpecError.self) { try Paper(SpecDocument(text: twice, path: "paper.yaml")) }
        #expect(
            error.map { "\($0.faults[0].kind)".replacing("\\'", with: "'").contains("'first' stands twice") } == true,
            "\(String(describing: error))")
    }

    @Test func aFolderHasItsPapers() throws {
        let folder = try TemporaryFolder()
        try Data(Self.text.utf8).write(to: folder.url.appendingPathComponent("b.yaml"))
        try Data(Self.text.replacing("short: P", with: "short: Q").utf8).write(
            to: folder.url.appendingPathComponent("a.yaml"))
        try Data("no paper".utf8).write(to: folder.url.appendingPathComponent("README.md"))
        let papers = try Papers(in: folder.url)
        #expect(papers.papers.map(\.short) == ["Q", "P"] && papers.table("P", "Table 1")?.rows == ["a", "b"])
        #expect(papers.table("P", "Table 2") == nil && papers.table("R", "Table 1") == nil)
        #expect(try Papers(in: folder.url.appendingPathComponent("none")).papers.isEmpty)
        try Data("a: [".utf8).write(to: folder.url.appendingPathComponent("c.yaml"))
        #expect(throws: SpecError.self) { try Papers(in: folder.url) }
    }
}
