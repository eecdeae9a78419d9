import DenseMath
import Foundation

extension CLIP {
    /// Opens a model: a folder, or a file of weights with its configuration beside it.
    ///
    /// - **Hugging Face**: `config.json`, `preprocessor_config.json` and `model.safetensors`, or shards with
    ///   `model.safetensors.index.json`, or `pytorch_model.bin`.
    /// - **OpenCLIP**: `open_clip_config.json` and `open_clip_model.safetensors` or `open_clip_pytorch_model.bin`, or
    ///   the `.pt` of its training.
    /// - **OpenAI**: a `.pt` file, alone: its architecture shows in the shapes of its tensors.
    ///
    /// A folder that holds two models is refused; the path of the file of weights says which is meant. Weights may
    /// be fp32, fp16 or bf16; they are kept and computed with as fp32.
    ///
    /// - Parameters:
    ///   - folder: the model folder or the file of weights.
    ///   - vocabulary: OpenAI's `bpe_simple_vocab_16e6.txt.gz`, for models of OpenAI's and OpenCLIP's that do not have
    ///     it beside them.
    ///   - imageActivation: the non-linearity of the image tower's MLPs, where it is not to be the one that the
    ///     model's files say; ``ModelDescription`` records who decided.
    ///   - textActivation: the same for the text tower.
    /// - Throws: ``CheckpointError``, ``ConfigurationError``, ``TokenizerError``, and what the reader of the weights
    ///   throws.
    public init(
        folder: URL, vocabulary: URL? = nil, imageActivation: Activation? = nil, textActivation: Activation? = nil
    ) throws {
        let model = try OpenedModel(at: folder, imageActivation: imageActivation, textActivation: textActivation)
        // Before gigabytes are read.
        tokenizer = try Tokenizer(
            format: model.description.format, folder: model.folder, vocabulary: vocabulary,
            configuration: model.description.configuration.text)
        vision = try VisionTransformer(
            model.checkpoint, model.description.configuration.vision, model.description.preprocessing)
        text = try TextTransformer(model.checkpoint, model.description.configuration.text)
        logitScale = try model.checkpoint.logitScale()
        description = model.description
    }
}

extension VisionTransformer {
    init(_ checkpoint: Checkpoint, _ configuration: VisionConfiguration, _ preprocessing: PreprocessingConfiguration)
        throws
    {
        let epsilon = configuration.layerNormEpsilon
        self.init(
            configuration: configuration,
            patchEmbedding: try checkpoint.patchEmbedding(),
            classEmbedding: try checkpoint.classEmbedding(),
            positionEmbedding: try checkpoint.positionEmbedding(.image),
            inputNorm: try checkpoint.inputNorm(epsilon: epsilon),
            blocks: try (0..<configuration.layers).map {
                try checkpoint.block(
                    .image, $0, width: configuration.width, heads: configuration.heads,
                    activation: configuration.activation, epsilon: epsilon)
            },
            readout: try checkpoint.readout(.image, epsilon: epsilon),
            normalisation: PixelNormalisation(
                scale: Float(preprocessing.rescaleFactor), mean: preprocessing.mean,
                standardDeviation: preprocessing.standardDeviation))
    }
}

extension TextTransformer {
    init(_ checkpoint: Checkpoint, _ configuration: TextConfiguration) throws {
        let epsilon = configuration.layerNormEpsilon
        self.init(
            configuration: configuration,
            tokenEmbedding: try checkpoint.tokenEmbedding(),
            positionEmbedding: try checkpoint.positionEmbedding(.text),
            blocks: try (0..<configuration.layers).map {
                try checkpoint.block(
                    .text, $0, width: configuration.width, heads: configuration.heads,
                    activation: configuration.activation, epsilon: epsilon)
            },
            readout: try checkpoint.readout(.text, epsilon: epsilon))
    }
}

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
