import ArgumentParser
import Foundation
import Pipeline
import Results

/// `runner compare BASE HEAD`: the same numbers across two results, or two commits.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare the numbers of two results, or of two commits.",
        discussion: """
            BASE and HEAD are results folders or databases, or commits (at least 4 digits) whose runs are in --results; of \
            each experiment the latest run that gave rows counts. Accuracies of the same images are tested image by image \
            (exact McNemar, corrected by Holm for all tests of the comparison). Numbers of other data, another n, a part of \
            the data or a run that must not be trusted are not set side by side; the reason is said.

            Exit codes: 0 nothing differs beyond the tolerance, 1 something does, 2 nothing could be compared.
            """)

    enum Format: String, ExpressibleByArgument {
        case text, markdown, csv, json
    }

    @Argument(help: "Results folder, database or commit.")
    var base: String
    @Argument(help: "The same, for what it is compared with.")
    var head: String
    @Option(help: ArgumentHelp("The results that commits are looked up in.", valueName: "DIR"))
    var results = "results"
    @Option(help: ArgumentHelp("Differences up to this, relative to numbers above 1, are none.", valueName: "X"))
    var tolerance = 1e-6
    @Option(help: ArgumentHelp("text, markdown (for a pull request), csv or json.", valueName: "FORMAT"))
    var format = Format.text
    @Flag(help: "Show numbers that are the same, too.")
    var all = false

    func validate() throws {
        if !(tolerance >= 0) { throw ValidationError("--tolerance has to be at least 0") }
        for side in [base, head] where side.isEmpty {
            throw ValidationError("a results folder, database or commit has a name")
        }
    }

    func run() throws {
        let comparison = Comparison(base: try runs(base), head: try runs(head), tolerance: tolerance)
        switch format {
        case .text: try Console.print(comparison.text(all: all))
        case .markdown: try Console.print(comparison.markdown(all: all))
        case .csv: try Console.print(String(decoding: comparison.csv(), as: UTF8.self))
        case .json: try Console.print(String(decoding: comparison.json(), as: UTF8.self))
        }
        if comparison.compared == 0 { throw ExitCode(2) }
        if comparison.differences > 0 || !comparison.claims.isEmpty { throw ExitCode(1) }
    }

    /// The runs of one side.
    private func runs(_ side: String) throws -> [ComparedRun] {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: side, isDirectory: &isFolder) {
            let url = URL(fileURLWithPath: side)
            return try found(
                latest(in: isFolder.boolValue ? ResultsReader(in: url) : ResultsReader(of: url)), in: side, commit: nil)
        }
        guard side.wholeMatch(of: /[0-9a-f]{4,40}/) != nil else {
            throw Failure(
                .inputMissing, "\(side): not found, and no commit",
                fix: "name a results folder, a database or at least 4 digits of a commit")
        }
        return try found(
            latest(in: ResultsReader(in: URL(fileURLWithPath: results)), commit: side), in: results, commit: side)
    }

    private func latest(in reader: ResultsReader, commit: String? = nil) throws -> [ComparedRun] {
        try reader.read { try $0.comparedRuns(commit: commit) }
    }

    private func found(_ runs: [ComparedRun], in place: String, commit: String?) throws -> [ComparedRun] {
        guard runs.isEmpty else { return runs }
        let whose = commit.map { " of the commit \($0)" } ?? ""
        throw Failure(
            .inputMissing, "\(place): no run\(whose) has rows",
            fix: "run the experiments there first, with `make reproduce-table`")
    }
}
