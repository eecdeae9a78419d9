import DenseMath
import Foundation

extension CLIP {
    /// What a model is before a weight is read, and the files that decide its numbers.
    public struct Described: Sendable {
        public let description: ModelDescription
        /// Weights, configuration and vocabulary; sorted by path.
        public let files: [URL]
    }

    /// Looks at a model without reading a weight: for keys, and for a clear error before work begins.
    /// - Parameters: as ``init(folder:vocabulary:imageActivation:textActivation:)``.
    /// - Throws: ``CheckpointError``, ``ConfigurationError``, and what the reader of the weights throws.
    public static func describe(
        folder: URL, vocabulary: URL? = nil, imageActivation: Activation? = nil, textActivation: Activation? = nil
    ) throws -> Described {
        let model = try OpenedModel(at: folder, imageActivation: imageActivation, textActivation: textActivation)
        func beside(_ name: String) -> URL { model.folder.appendingPathComponent(name) }
        func isThere(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
        let companions: [String] =
            switch model.description.format {
            case .huggingFace: ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt"]
            case .openCLIP: [StatedConfiguration.openCLIPFile, "vocab.json", "merges.txt", Tokenizer.openAIVocabulary]
            case .openAI: [Tokenizer.openAIVocabulary]
            }
        var files =
            companions.map(beside).filter(isThere)
            + (model.description.weightsFiles + [model.description.weightsPath]).map { URL(fileURLWithPath: $0) }
        let hasOwnVocabulary = isThere(beside(Tokenizer.openAIVocabulary))
        if model.description.format != .huggingFace, !hasOwnVocabulary, let vocabulary { files.append(vocabulary) }
        return Described(description: model.description, files: Set(files).sorted { $0.path < $1.path })
    }
}
