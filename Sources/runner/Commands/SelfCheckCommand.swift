import ArgumentParser
import CLIPModel
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
    @Option(
        help:
            "A model folder or a file of weights to check instead, by the vectors of a reference.safetensors beside it."
    )
    var path: String?

    func run() throws {
        let manifest = try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest))
        let checks =
            if let path {
                try EmbeddingCheck(
                    model: URL(fileURLWithPath: path),
                    vocabulary: manifest.folder(ofDownload: "clip-bpe").appendingPathComponent(
                        Tokenizer.openAIVocabulary)
                ).run()
            } else {
                try SelfCheck(manifest: manifest, model: model).run()
            }
        var table = TextTable(columns: [
            .init("check"), .init("found", .right), .init("allowed", .right), .init("verdict"),
        ])
        for check in checks {
            table.addRow([check.name, check.found, check.allowed, check.isPassed ? "ok" : "FAILED"])
        }
        try Console.print(table.rendered())
        if let failed = checks.first(where: { !$0.isPassed }) {
            throw Failure(
                .untrusted, "\(failed.name): \(failed.found), allowed is \(failed.allowed)",
                fix: "do not trust any number of this build on this machine; report it with the table")
        }
    }
}
