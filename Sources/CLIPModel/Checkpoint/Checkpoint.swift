import DenseMath
import Foundation
import Safetensors

/// What can be wrong with a model's weights beyond their file format and their names. Facts only.
public enum CheckpointError: Error, Equatable, Sendable {
    case missingFolder(path: String)
    case missingWeights(path: String, expected: String)
    /// The tensor has an element type that weights do not have.
    case unsupportedType(path: String, tensor: String, found: String)
    case notFinite(path: String, tensor: String, index: Int)
}

/// The weights of a Hugging Face CLIP folder, checked against the architecture in its `config.json`:
/// every parameter is there, has its shape, is finite, and nothing else is there.
struct Checkpoint {
    static let fileName = "model.safetensors"
    let file: SafetensorsFile

    /// - Throws: ``CheckpointError``, ``ConfigurationError``, `SafetensorsError`.
    init(folder: URL, configuration: CLIPConfiguration) throws {
        let url = folder.appendingPathComponent(Self.fileName)
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw CheckpointError.missingWeights(path: folder.path, expected: Self.fileName)
        }
        file = try SafetensorsFile(contentsOf: url)
        try configuration.check(shapes: file.tensors.mapValues(\.shape), path: url.path)
    }

    func floats(_ name: String) throws -> [Float] {
        let type = try file.tensor(name).type
        guard [ElementType.float16, .bfloat16, .float32].contains(type) else {
            throw CheckpointError.unsupportedType(path: file.path, tensor: name, found: type.rawValue)
        }
        let values = try file.floats(name)
        if let index = values.firstIndex(where: { !$0.isFinite }) {
            throw CheckpointError.notFinite(path: file.path, tensor: name, index: index)
        }
        return values
    }

    /// The tensor with all dimensions after the first folded into one.
    func matrix(_ name: String) throws -> Tensor {
        let elements = try floats(name)
        let rows = file.tensors[name]?.shape.first ?? 1
        return Tensor(shape: [rows, elements.count / max(rows, 1)], elements: elements)
    }

    func norm(_ name: String, epsilon: Float) throws -> LayerNorm {
        LayerNorm(weight: try floats("\(name).weight"), bias: try floats("\(name).bias"), epsilon: epsilon)
    }

    func linear(_ name: String) throws -> Linear {
        Linear(weight: try matrix("\(name).weight"), bias: try floats("\(name).bias"))
    }

    func block(_ prefix: String, heads: Int, activation: Activation, epsilon: Float) throws -> TransformerBlock {
        let parts = try ["q", "k", "v"].map { try linear("\(prefix).self_attn.\($0)_proj") }
        let width = parts[0].inputs
        return TransformerBlock(
            heads: heads,
            attentionNorm: try norm("\(prefix).layer_norm1", epsilon: epsilon),
            queryKeyValue: Linear(
                weight: Tensor(shape: [3 * width, width], elements: parts.flatMap(\.weight.elements)),
                bias: parts.flatMap(\.bias)),
            attentionOutput: try linear("\(prefix).self_attn.out_proj"),
            mlpNorm: try norm("\(prefix).layer_norm2", epsilon: epsilon),
            mlpInput: try linear("\(prefix).mlp.fc1"),
            activation: activation,
            mlpOutput: try linear("\(prefix).mlp.fc2"))
    }
}

extension CLIP {
    /// Opens a model folder in the Hugging Face layout: `config.json`, `model.safetensors` (fp32, fp16 or
    /// bf16), `preprocessor_config.json`, `vocab.json`, `merges.txt`.
    /// - Throws: ``CheckpointError``, ``ConfigurationError``, ``TokenizerError``, `SafetensorsError`.
    public init(folder: URL) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder), isFolder.boolValue else {
            throw CheckpointError.missingFolder(path: folder.path)
        }
        let configuration = try CLIPConfiguration(folder: folder)
        let preprocessing = try PreprocessingConfiguration(folder: folder, imageSize: configuration.vision.imageSize)
        let checkpoint = try Checkpoint(folder: folder, configuration: configuration)
        self.configuration = configuration
        vision = try VisionTransformer(checkpoint, configuration.vision, preprocessing)
        text = try TextTransformer(checkpoint, configuration.text)
        tokenizer = try Tokenizer(folder: folder, configuration: configuration.text)
        logitScale = try checkpoint.floats("logit_scale").first ?? 0
    }
}

extension CLIP {
    /// Checks that the files of a model folder fit together, without reading a weight: for a clear error
    /// before work begins.
    /// - Returns: the architecture.
    /// - Throws: ``CheckpointError``, ``ConfigurationError``, `SafetensorsError`.
    public static func validate(folder: URL) throws -> CLIPConfiguration {
        let configuration = try CLIPConfiguration(folder: folder)
        _ = try PreprocessingConfiguration(folder: folder, imageSize: configuration.vision.imageSize)
        _ = try Checkpoint(folder: folder, configuration: configuration)
        return configuration
    }
}

extension VisionTransformer {
    init(_ checkpoint: Checkpoint, _ configuration: VisionConfiguration, _ preprocessing: PreprocessingConfiguration) throws {
        self.init(
            configuration: configuration,
            patchEmbedding: try checkpoint.matrix("vision_model.embeddings.patch_embedding.weight"),
            classEmbedding: try checkpoint.floats("vision_model.embeddings.class_embedding"),
            positionEmbedding: try checkpoint.matrix("vision_model.embeddings.position_embedding.weight"),
            inputNorm: try checkpoint.norm("vision_model.pre_layrnorm", epsilon: configuration.layerNormEpsilon),
            blocks: try (0..<configuration.layers).map {
                try checkpoint.block(
                    "vision_model.encoder.layers.\($0)", heads: configuration.heads,
                    activation: configuration.activation, epsilon: configuration.layerNormEpsilon)
            },
            outputNorm: try checkpoint.norm("vision_model.post_layernorm", epsilon: configuration.layerNormEpsilon),
            projection: try checkpoint.matrix("visual_projection.weight"),
            normalisation: PixelNormalisation(
                scale: Float(preprocessing.rescaleFactor), mean: preprocessing.mean,
                standardDeviation: preprocessing.standardDeviation))
    }
}

extension TextTransformer {
    init(_ checkpoint: Checkpoint, _ configuration: TextConfiguration) throws {
        self.init(
            configuration: configuration,
            tokenEmbedding: try checkpoint.matrix("text_model.embeddings.token_embedding.weight"),
            positionEmbedding: try checkpoint.matrix("text_model.embeddings.position_embedding.weight"),
            blocks: try (0..<configuration.layers).map {
                try checkpoint.block(
                    "text_model.encoder.layers.\($0)", heads: configuration.heads,
                    activation: configuration.activation, epsilon: configuration.layerNormEpsilon)
            },
            outputNorm: try checkpoint.norm("text_model.final_layer_norm", epsilon: configuration.layerNormEpsilon),
            projection: try checkpoint.matrix("text_projection.weight"))
    }
}
