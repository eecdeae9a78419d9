import DenseMath
import Foundation

/// A model whose files have been recognised and found to fit together, open for reading.
struct OpenedModel {
    let description: ModelDescription
    let checkpoint: Checkpoint
    /// Where the vocabulary is looked for.
    let folder: URL

    /// - Parameters:
    ///   - url: a model folder, or a file of weights.
    ///   - imageActivation: the non-linearity of the image tower, where it is not to be what the files say.
    ///   - textActivation: the same for the text tower.
    /// - Throws: ``CheckpointError``, ``ConfigurationError``, and what the reader of the weights throws.
    init(at url: URL, imageActivation: Activation? = nil, textActivation: Activation? = nil) throws {
        let files = try ModelFiles(at: url)
        let weights = try files.open()
        let shapes = weights.records.mapValues(\.shape)
        let (format, naming) = try Self.recognise(shapes, in: weights.path, declared: files.format)
        let (stated, preprocessing) = try Self.describe(
            format, shapes: shapes, naming: naming, path: weights.path, folder: files.folder)
        let described = stated.overriding(image: imageActivation, text: textActivation)
        folder = files.folder
        checkpoint = try Checkpoint(weights, naming: naming, configuration: described.configuration)
        description = ModelDescription(
            format: format, weightsPath: weights.path, weightsFiles: Set(weights.records.values.map(\.path)).sorted(),
            configuration: described.configuration,
            preprocessing: preprocessing, imageActivationSource: described.imageActivationSource,
            textActivationSource: described.textActivationSource)
    }

    /// The format, where the file's name does not show it, and the naming, from the names of the tensors.
    private static func recognise(
        _ shapes: [String: [Int]], in path: String, declared: ModelFormat?
    ) throws(CheckpointError) -> (ModelFormat, ParameterNaming) {
        if declared == .huggingFace { return (.huggingFace, .huggingFace) }
        guard let naming = ParameterNaming(of: shapes), declared == nil || naming != .huggingFace else {
            throw .unknownNames(path: path, examples: Array(shapes.keys.sorted().prefix(3)))
        }
        if let declared { return (declared, naming) }
        guard naming != .huggingFace else { return (.huggingFace, naming) }
        let isOpenAI = ParameterNaming.openAIBuffers.isSubset(of: shapes.keys)
        return (isOpenAI ? .openAI : .openCLIP, naming)
    }

    /// Architecture and preprocessing, as the format states them.
    private static func describe(
        _ format: ModelFormat, shapes: [String: [Int]], naming: ParameterNaming, path: String, folder: URL
    ) throws -> (StatedConfiguration, PreprocessingConfiguration) {
        switch format {
        case .huggingFace:
            let stated = try StatedConfiguration(huggingFace: folder)
            let size = stated.configuration.vision.imageSize
            return (stated, try PreprocessingConfiguration(folder: folder, imageSize: size))
        case .openCLIP:
            let url = folder.appendingPathComponent(StatedConfiguration.openCLIPFile)
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw CheckpointError.missingConfiguration(path: path, expected: StatedConfiguration.openCLIPFile)
            }
            let file = try ConfigurationSection(contentsOf: url)
            let stated = try StatedConfiguration(openCLIP: file)
            let size = stated.configuration.vision.imageSize
            return (stated, try PreprocessingConfiguration(openCLIP: file, imageSize: size))
        case .openAI:
            let stated = try StatedConfiguration(openAI: shapes, naming: naming, path: path)
            return (stated, .openAI(imageSize: stated.configuration.vision.imageSize))
        }
    }
}

/// A model as its files describe it: what is known before a weight is read.
public struct ModelDescription: Equatable, Sendable {
    public let format: ModelFormat
    /// The file of weights, or the index of its shards.
    public let weightsPath: String
    /// The files that hold the weights: of a sharded checkpoint the shards, by name.
    public let weightsFiles: [String]
    public let configuration: CLIPConfiguration
    public let preprocessing: PreprocessingConfiguration
    /// Who decided the non-linearity of the image tower.
    public let imageActivationSource: ActivationSource
    /// Who decided the non-linearity of the text tower.
    public let textActivationSource: ActivationSource
}

/// Who wrote a model's files, and so what their parameters are called and where the architecture stands.
public enum ModelFormat: String, Codable, Sendable {
    /// `config.json`, `preprocessor_config.json` and `model.safetensors` (or shards with an index, or
    /// `pytorch_model.bin`), as `transformers` saves a `CLIPModel`.
    case huggingFace
    /// `open_clip_config.json` and `open_clip_model.safetensors` (or `open_clip_pytorch_model.bin`), as OpenCLIP
    /// saves a model for the Hub.
    case openCLIP
    /// One file, such as `ViT-B-32.pt`, as OpenAI publishes its models.
    case openAI
}
