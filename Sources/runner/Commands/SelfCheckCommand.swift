import ArgumentParser
import Experiments
import Foundation
import Inputs
import Results

/// `runner selfcheck`: the engine against what the reference implementation computed.
struct SelfCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selfcheck",
        abstract: "Compare scenes, token ids, activations and embeddings with the reference implementation's.")

    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"
    @Option(help: "The model to check.")
    var model = "emoji-clip"

    func run() throws {
        let checks = try SelfCheck(
            manifest: DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest)), model: model
        ).run()
        var table = TextTable(columns: [.init("check"), .init("found", .right), .init("allowed", .right), .init("verdict")])
        for check in checks {
            table.addRow([check.name, check.found, check.allowed, check.isPassed ? "ok" : "FAILED"])
        }
        try Console.print(table.rendered())
        if let failed = checks.first(where: { !$0.isPassed }) {
            throw Failure(.untrusted, "\(failed.name): \(failed.found), allowed is \(failed.allowed)", fix: "do not trust any number of this build on this machine; report it with the table")
        }
    }
}
