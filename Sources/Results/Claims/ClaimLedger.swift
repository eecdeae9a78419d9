import Foundation
import Foundations
import Pipeline

/// What stands of the papers' claims, over all experiments.
public struct ClaimLedger: Sendable {
    /// A claim with what became of it in every run that can say so.
    public struct Entry: Sendable {
        public let verdict: ClaimVerdict
        /// The specs that say so, by their files' names; more than one only where a world has several of an experiment.
        public let specs: [String]
        public let isPartial: Bool
    }

    /// The claims of the papers' files in their order, then others that a run has decided.
    public let entries: [Entry]

    /// - Parameters:
    ///   - runs: the verdicts of each run, in the order in which they are to be told, and its spec's name.
    ///   - papers: whose claims are listed, also those that no run can say anything of.
    public init(_ runs: [(spec: String, verdicts: [ClaimVerdict], isPartial: Bool)], papers: Papers = Papers()) {
        let expected = papers.papers.flatMap { paper in paper.claims.map { ClaimVerdict.notRun($0, of: paper.short) } }
        let all = runs.flatMap { run in run.verdicts.map { (run.spec, $0, run.isPartial) } }
        var seen: Set<[String]> = []
        let order = (expected + all.map(\.1)).filter { seen.insert([$0.paper, $0.name]).inserted }
        entries = order.map { claim in
            let said = all.filter { $0.1.paper == claim.paper && $0.1.name == claim.name }
            guard !said.isEmpty else { return Entry(verdict: claim, specs: [], isPartial: false) }
            return Entry(
                verdict: Self.joined(said.map { ($0.0, $0.1) }), specs: said.map(\.0), isPartial: said.contains { $0.2 }
            )
        }
    }

    /// Several specs of one experiment may disagree, and then it depends.
    private static func joined(_ said: [(spec: String, verdict: ClaimVerdict)]) -> ClaimVerdict {
        let measured = said.filter { $0.verdict.verdict != .notMeasured }
        guard var first = measured.first?.verdict else { return said[0].verdict }
        guard measured.count > 1 else { return first }
        let verdicts = Set(measured.map(\.verdict.verdict))
        if verdicts.count > 1 {
            first.verdict =
                verdicts.isSuperset(of: [.holds, .fails]) || verdicts.contains(.depends) ? .depends : .undecided
        }
        first.isQualified = verdicts == [.holds] && measured.contains { $0.verdict.isQualified }
        first.because = measured.map { "\($0.spec): \($0.verdict.because)" }.joined(separator: "; ")
        return first
    }

    private var isPartial: Bool { entries.contains(where: \.isPartial) }

    // MARK: Printing

    static let note =
        "holds, fails: the 95 % interval of what the claim is about lies on one side of its bound; of several layers, pairs, rivals or "
        + "numbers the intervals hold together with 95 %. undecided: it spans the bound. depends: settings of this world disagree. "
        + "holds*: but, see the reason. Claims, predicates and bounds: experiments/papers."

    /// How many claims have which verdict.
    public var summary: String {
        ClaimVerdict.Verdict.allCases.map { verdict in
            (verdict.rawValue, entries.count { $0.verdict.verdict == verdict })
        }
        .filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }.joined(separator: ", ")
    }

    static let title = "What the papers claim, and what of it stands here"

    /// - Parameter width: of the terminal; reasons are wrapped to it.
    public func text(width: Int = 132) -> String {
        let header = ["claim", "source", "here"]
        let rows = entries.map { [$0.verdict.words, $0.verdict.source, $0.verdict.mark] }
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].displayWidth }.max() ?? 0 }
        func padded(_ cells: [String]) -> String {
            zip(cells, widths).map { $0.padded(to: $1) }.joined(separator: "  ")
        }
        let indent = String(repeating: " ", count: 4)
        var lines = [
            Self.title + (isPartial ? " — PARTIAL: of a part of the images" : ""), "",
            padded(header).replacing(/\s+$/, with: ""),
            widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "),
        ]
        for (row, entry) in zip(rows, entries) {
            lines.append(padded(row).replacing(/\s+$/, with: ""))
            lines += Self.wrapped(entry.verdict.because, to: max(40, width - indent.count)).map { indent + $0 }
        }
        lines += ["", "\(summary)."] + Self.wrapped(Self.note, to: width)
        return lines.map { $0 + "\n" }.joined()
    }

    private static func wrapped(_ text: String, to width: Int) -> [String] {
        text.split(separator: " ").map(String.init).reduce(into: [String]()) { lines, word in
            if let last = lines.last, last.displayWidth + 1 + word.displayWidth <= width {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
    }

    /// For a document.
    public func markdown() -> String {
        let lines =
            ["| claim | source | here | because |", "|---|---|---|---|"]
            + entries.map { entry in
                "| "
                    + [
                        entry.verdict.words, entry.verdict.source, "**\(Markdown.cell(entry.verdict.mark))**",
                        entry.verdict.because,
                    ].enumerated()
                    .map { $0.offset == 2 ? $0.element : Markdown.cell($0.element) }.joined(separator: " | ") + " |"
            }
        return (lines + ["", "\(summary). \(Self.note)"]).joined(separator: "\n") + "\n"
    }

    public func csv() -> Data {
        var writer = CSVWriter(header: [
            "paper", "name", "claim", "place", "experiment", "specs", "verdict", "qualified", "partial", "because",
        ])
        for entry in entries {
            let verdict = entry.verdict
            writer.add([
                .text(verdict.paper), .text(verdict.name), .text(verdict.words), .text(verdict.place),
                .text(verdict.experiment),
                .text(entry.specs.joined(separator: "; ")), .text(verdict.verdict.rawValue), .flag(verdict.isQualified),
                .flag(entry.isPartial), .text(verdict.because),
            ])
        }
        return writer.data
    }

    private struct Document: Encodable {
        struct Claim: Encodable {
            let paper, name, claim, place, experiment, verdict, because: String
            let specs: [String]
            let qualified, partial: Bool
        }

        let claims: [Claim]
    }

    /// One document.
    /// - Throws: what encoding throws.
    public func json() throws -> Data {
        try ArtefactJSON.encode(
            Document(
                claims: entries.map { entry in
                    .init(
                        paper: entry.verdict.paper, name: entry.verdict.name, claim: entry.verdict.words,
                        place: entry.verdict.place,
                        experiment: entry.verdict.experiment, verdict: entry.verdict.verdict.rawValue,
                        because: entry.verdict.because,
                        specs: entry.specs, qualified: entry.verdict.isQualified, partial: entry.isPartial)
                })) + Data("\n".utf8)
    }
}

extension ResultsDatabase {
    /// The ledger of the latest runs with rows.
    /// - Parameters:
    ///   - commit: only runs of a program of a commit that begins so; nil for all.
    ///   - papers: whose claims are listed, also those that no run can say anything of.
    /// - Throws: `ResultsError`.
    public func ledger(commit: String? = nil, papers: Papers = Papers()) throws -> ClaimLedger {
        ClaimLedger(
            try latestRuns(commit: commit).map { (ComparedRun.name(of: $0).spec, try claims(of: $0), $0.isPartial) },
            papers: papers)
    }
}
