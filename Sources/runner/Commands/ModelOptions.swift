import ArgumentParser
import CLIPModel
import DenseMath
import Experiments
import Foundation
import Foundations
import Inputs

/// A model, for commands without a spec.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A model folder or a file of weights: OpenAI's, OpenCLIP's or Hugging Face's.", valueName: "PATH"))
    var model: String
    @Option(
        help: ArgumentHelp(
            "quick_gelu or gelu, where the image tower's is not to be what the model's files say.", valueName: "NAME"))
    var imageActivation: Activation?
    @Option(help: ArgumentHelp("The same for the text tower.", valueName: "NAME"))
    var textActivation: Activation?
    @Option(
        help: ArgumentHelp(
            "OpenAI's \(Tokenizer.openAIVocabulary), for models that have none beside them; by default the one of the manifest.",
            valueName: "FILE"))
    var vocabulary: String?
    @Option(help: "The list of models and data sets, for the vocabulary.")
    var manifest = "datasets.manifest"

    var url: URL { URL(fileURLWithPath: model) }

    /// Loads the model; its files are watched from before.
    /// - Throws: what opening a model throws.
    func open() throws -> (clip: CLIP, watch: FileWatch) {
        let vocabulary = try vocabularyFile()
        let watch = FileWatch(try CLIP.describe(folder: url, vocabulary: vocabulary).files)
        let clip = try CLIP(
            folder: url, vocabulary: vocabulary, imageActivation: imageActivation, textActivation: textActivation)
        return (clip, watch)
    }

    /// The file that was named, or that of the manifest where there is a manifest here.
    func vocabularyFile() throws -> URL? {
        if let vocabulary { return URL(fileURLWithPath: vocabulary) }
        guard FileManager.default.fileExists(atPath: manifest) else { return nil }
        return try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest)).folder(ofDownload: "clip-bpe")
            .appendingPathComponent(Tokenizer.openAIVocabulary)
    }

    /// A file of words that comes with the manifest.
    func prompts(_ name: String) -> URL {
        URL(fileURLWithPath: manifest).deletingLastPathComponent().appendingPathComponent("models/prompts/\(name)")
    }
}

extension Activation: ExpressibleByArgument {}

extension ProgramDescription {
    /// This program.
    static var current: ProgramDescription {
        let git = GitState.current(in: Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent())
        return ProgramDescription(
            name: "clip-lens", version: Runner.configuration.version, commit: git?.commit, isDirty: git?.isDirty)
    }
}
