import ArgumentParser
import Foundation
import Foundations
import Pipeline
import Results

/// `runner tables`: all tables of a results folder as one document.
struct TablesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "Print all tables and the ledger of claims as one Markdown document, or check one against it.",
        discussion: """
            Of each experiment the latest run with rows counts. docs/results.md is this command's output for the embedded world:

                runner tables --results results > docs/results.md
                runner tables --results results --check docs/results.md

            --check prints the lines that differ by more than rounding and ends with 1 where there are some. Of numbers that other \
            kernels made only the verdicts are compared.
            """)

    @Option(help: ArgumentHelp("The results.", valueName: "DIR"))
    var results = "results"
    @Option(help: "The list of models and data sets, beside which the papers' files are.")
    var manifest = "datasets.manifest"
    @Option(help: ArgumentHelp("A document that is to have the same numbers.", valueName: "FILE"))
    var check: String?

    private static let introduction =
        "The tables of the latest run of each experiment, as `runner tables` prints them; brackets are 95 % intervals, in the ledger of all that a claim is about together."

    func run() throws {
        let papers = try Papers(
            in: URL(fileURLWithPath: manifest).deletingLastPathComponent().appendingPathComponent("experiments/papers"))
        let document = try ResultsReader(in: URL(fileURLWithPath: results, isDirectory: true)).read {
            try ResultsDocument($0, papers: papers, introduction: Self.introduction)
        }
        guard let check else { return try Console.print(document.text) }
        guard let data = try? RegularFile.contents(of: check, limit: 1 << 26) else {
            throw Failure(
                .inputMissing, "\(check): cannot be read", fix: "name a document that `runner tables` printed")
        }
        let comparison = DocumentComparison(expected: String(decoding: data, as: UTF8.self), found: document.text)
        guard !comparison.differences.isEmpty else {
            return try Console.print(
                "\(check): the same \(comparison.hasOtherKernels ? "verdicts, by other kernels," : "numbers") as in \(results)\n"
            )
        }
        for difference in comparison.differences {
            try Console.print("\(check):\(difference.line)\n− \(difference.expected)\n+ \(difference.found)\n")
        }
        throw Failure(
            .failed, "\(check): \(comparison.differences.count) lines differ from \(results) by more than rounding",
            fix: "if the change is meant, write it anew: runner tables --results \(results) > \(check)")
    }
}
