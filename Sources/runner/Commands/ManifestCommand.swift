import ArgumentParser
import Experiments
import Foundation
import Foundations
import Inputs

/// `runner manifest`: the manifest with the digests of what is here, for those who change a data set or a model.
struct ManifestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifest", abstract: "Compute the digests of models and data sets anew and print the manifest.")

    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"
    @Flag(help: "Replace the file instead of printing it.")
    var write = false

    func run() throws {
        let url = URL(fileURLWithPath: manifest)
        let renewed = try ManifestDigests.renewed(DatasetsManifest(contentsOf: url))
        let data = try renewed.encoded()
        guard write else { return try Console.print(String(decoding: data, as: UTF8.self)) }
        do {
            try OutputFolder.write(data, to: url)
        } catch let error as OutputError {
            throw Failure(
                error, elsewhere: "copy the manifest and name the copy with --manifest",
                again: "run the same command again")
        }
    }
}
