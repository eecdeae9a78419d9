import Foundation
import Foundations
import Pipeline
import TestSupport
import Testing

@testable import Results

/// All tables as one document, and its comparison with another.
@Suite struct ResultsDocumentTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private static let layout = TableLayout(
        title: "Table *1* (%)", rowHeader: "layer",
        columns: [.init("measured", group: "all"), .init("words", isText: true)],
        rows: [
            .init("9", [.init("accuracy", ["layer": "9", "condition": "baseline"]), .text("a | b <c>")]),
            .init("10", [.init("none", [:]), .text("")]),
        ],
        footnotes: ["A note_with_lines."])

    @Test func itHasTheLedgerAndEveryTable() throws {
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        let verdict = ClaimVerdict(
            paper: "P", name: "a", words: "words", place: "section 1", experiment: "mean-ablation", verdict: .holds,
            because: "1 > 0")
        for (name, ending) in [("segmentation", RunEnding.untrusted), ("mean-ablation", .done)] {
            try database.end(
                database.begin(Sample.description(experiment: name)), as: ending,
                rows: RunRows(metrics: [Sample.metric(0.25)], layouts: [Self.layout]), claims: [verdict],
                message: ending == .untrusted ? "a control" : nil)
        }
        let text = try ResultsDocument(database, introduction: "An introduction.").text
        try database.close()
        #expect(
            text.hasPrefix(
                "# Results\n\nAn introduction.\n\nKernels: BLAS core Haswell, linear layers by OpenBLAS.\n\n## What the papers claim, and what of it stands here\n\n| claim |"
            ))
        #expect(text.contains("| words | P, section 1 | **holds** | "))
        let table = """
            **Table \\*1\\* (%)**

            | layer | all: measured | words |
            |---|---:|---|
            | 9 | 25.0 [24.0–26.0] | a \\| b &lt;c> |
            | 10 | – |  |

            A note\\_with\\_lines.
            """
        #expect(text.components(separatedBy: table).count == 3, "\(text)")
        // In the order of the runs, and with the reason for distrust before the numbers.
        let order = [
            "## segmentation (x)", "**Do not trust these numbers:** a control failed: a control.",
            "## mean-ablation (x)",
        ].map { text.range(of: $0)?.lowerBound }
        #expect(order.allSatisfy { $0 != nil } && order.compactMap { $0 } == order.compactMap { $0 }.sorted())
        // Nothing of time or place, so that the same numbers give the same bytes.
        #expect(!text.contains(ProcessIdentity.current.host))
    }

    @Test(arguments: [
        ("| 9 | 25.0 [24.0, 26.0] |", "| 9 | 25.2 [24.1, 26.3] |", true), ("| 9 | 25.0 |", "| 9 | 25.4 |", false),
        ("| 9 | 25.0 |", "| 10 | 25.0 |", false),
        ("4000 images", "4001 images", false), ("accuracy 0.125", "accuracy 0.128", true),
        ("accuracy 0.125", "precision 0.125", false),
        ("a −0.1 b", "a −0.3 b", true), ("a −0.1 b", "a 0.1 b", true), ("a −0.1 b", "a 0.3 b", false),
        ("one\ntwo", "one", false),
    ])
    func roundingIsNoDifference(expected: String, found: String, isSame: Bool) {
        let comparison = DocumentComparison(expected: expected, found: found)
        #expect(comparison.differences.isEmpty == isSame, "\(comparison.differences)")
    }

    /// Which of two words a search takes at a near tie hangs on them.
    @Test func ofOtherKernelsOnlyVerdictsAreCompared() {
        let document = "Kernels: a.\n\n| c | s | **holds** | 1.0 |\n\n| 9 | 25.0 |"
        func compared(_ from: String, _ to: String, kernels: String = "b") -> DocumentComparison {
            .init(
                expected: document,
                found: document.replacing("Kernels: a", with: "Kernels: \(kernels)").replacing(from, with: to))
        }
        #expect(compared("25.0", "35.0").hasOtherKernels && compared("25.0", "35.0").differences.isEmpty)
        #expect(
            compared("| 1.0 |", "| 2.0 |").differences.isEmpty
                && compared("**holds**", "**holds\\***").differences.count == 1)
        #expect(compared("**holds**", "**fails**").differences.map(\.line) == [3])
        #expect(
            compared("25.0", "35.0", kernels: "a").differences.count == 1
                && !compared("25.0", "35.0", kernels: "a").hasOtherKernels)
    }

    /// The README quotes the ledger of the tables that are committed, word for word.
    @Test func theReadmeQuotesTheCommittedLedger() throws {
        let repository = ClaimJudgeTests.folder.deletingLastPathComponent().deletingLastPathComponent()
        func text(_ path: String) throws -> String {
            try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8)
        }
        let (readme, results) = (try text("README.md"), try text("docs/results.md"))
        let quoted = try #require(
            readme.firstMatch(of: /<!-- ledger -->\n(.*)<!-- \/ledger -->/.dotMatchesNewlines())?.1)
        #expect(quoted.contains("| claim |") && results.contains(quoted.trimmingCharacters(in: .newlines)))
        #expect(readme.utf8.count <= 12 << 10, "\(readme.utf8.count) bytes")
    }
}
