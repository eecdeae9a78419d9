import CLIPModel
import Foundation
import Foundations
import Inputs

/// Where models and data sets lie.
struct InputPlaces: Sendable {
    let manifest: DatasetsManifest
    /// Has a folder for each model and data set that others publish.
    let data: URL

    /// Models that a spec can name.
    var models: [String] {
        manifest.models.keys.sorted() + (manifest.downloads ?? [:]).filter { $0.value.kind == .model }.keys.sorted()
    }

    /// Data sets of scenes that a spec can name.
    var scenes: [String] { manifest.datasets.keys.sorted() }

    /// - Throws: `InputError.unknownDataset`; `DataSetError.notThere` for one that has to be fetched first.
    func folder(ofModel name: String) throws -> URL {
        if manifest.models[name] != nil { return try manifest.model(name).folder }
        let download = try manifest.download(name)
        let folder = data.appendingPathComponent(download.folder ?? name, isDirectory: true)
        guard FileManager.default.fileExists(atPath: folder.path) else {
            throw DataSetError.notThere(
                set: name, place: folder.path, expected: [download.files.map(\.name).joined(separator: " and ")],
                purpose: "the model \(name)")
        }
        return folder
    }

    /// SHA-256 of a model's files by their names, as the manifest states them.
    /// - Throws: `InputError.unknownDataset`.
    func statedDigests(ofModel name: String) throws -> [String: String] {
        if let model = manifest.models[name] { return model.files }
        return Dictionary(
            try manifest.download(name).files.compactMap { file in file.sha256.map { (file.name, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// SHA-256 of the weights that OpenAI published.
    var digestsOfOpenAI: Set<String> {
        Set(
            (manifest.downloads ?? [:]).filter { $0.key.hasPrefix("openai-") }.flatMap {
                $0.value.files.compactMap(\.sha256)
            })
    }

    /// OpenAI's vocabulary, for models that have none beside them.
    /// - Throws: `InputError.unknownDataset`.
    func vocabulary() throws -> URL {
        try manifest.folder(ofDownload: "clip-bpe").appendingPathComponent(Tokenizer.openAIVocabulary)
    }

    /// The words of zero-shot classifiers that come with the clone.
    func prompts(_ name: String) -> URL {
        manifest.url.deletingLastPathComponent().appendingPathComponent("models/prompts").appendingPathComponent(name)
    }

    /// The papers whose numbers and claims come with the clone.
    var papers: URL {
        manifest.url.deletingLastPathComponent().appendingPathComponent("experiments/papers", isDirectory: true)
    }

    /// What the names of classes, or the sentences they stand in, are called as a setting: the list that comes with the
    /// clone where they are the same, else how many they are and a digest.
    func name(of lines: [String], kind: String) -> String {
        let known = ["imagenet-classes", "cifar-10-classes", "templates-80", "templates-simple-7", "templates-85"].first
        {
            (try? PromptSet.texts(prompts("\($0).txt"))) == lines
        }
        return known
            ?? "\(lines.count) \(kind), \(Digest.sha256(of: Data(lines.joined(separator: "\n").utf8)).prefix(12))"
    }

    var imageNetNames: PictureSource.ImageNetNames {
        .init(wnids: prompts("imagenet-wnids.txt"), names: prompts("imagenet-classes.txt"))
    }
}
