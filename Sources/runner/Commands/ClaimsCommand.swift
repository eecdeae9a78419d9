import ArgumentParser
import Foundation
import Pipeline
import Results

/// `runner claims`: what stands of the papers' claims by the latest runs.
struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims", abstract: "Show what stands of the papers' claims: the ledger of the latest runs.",
        discussion: """
            Each claim, its predicate and its bound stand in experiments/papers beside the manifest; a run decides those of its \
            experiment by the intervals of its numbers and keeps the verdicts in the database. Run an experiment again after a \
            bound was changed; nothing is computed again.
            """)

    enum Format: String, ExpressibleByArgument {
        case text, markdown, csv, json
    }

    @Option(help: ArgumentHelp("The results.", valueName: "DIR"))
    var results = "results"
    @Option(help: "The list of models and data sets, beside which the papers' files are.")
    var manifest = "datasets.manifest"
    @Option(help: ArgumentHelp("text, markdown, csv or json.", valueName: "FORMAT"))
    var format = Format.text

    func run() throws {
        let folder = URL(fileURLWithPath: manifest).deletingLastPathComponent().appendingPathComponent(
            "experiments/papers", isDirectory: true)
        let papers = try Papers(in: folder)
        let ledger = try ResultsReader(in: URL(fileURLWithPath: results, isDirectory: true)).read {
            try $0.ledger(papers: papers)
        }
        guard !ledger.entries.isEmpty else {
            throw Failure(
                .inputMissing, "\(results): no run has decided a claim, and \(folder.relativePath) has none",
                fix: "name the manifest beside which experiments/papers is, with --manifest")
        }
        switch format {
        case .text: try Console.print(ledger.text())
        case .markdown: try Console.print(ledger.markdown())
        case .csv: try Console.print(String(decoding: ledger.csv(), as: UTF8.self))
        case .json: try Console.print(String(decoding: ledger.json(), as: UTF8.self))
        }
    }
}
