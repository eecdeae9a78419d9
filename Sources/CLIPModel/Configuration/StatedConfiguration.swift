import DenseMath
import Foundation

/// Why a tower has the non-linearity that it has.
///
/// Weights do not show which one they were trained with, so whoever reports numbers says who decided.
public enum ActivationSource: String, Codable, Equatable, Sendable {
    /// The configuration file names it.
    case configurationFile
    /// The configuration file is silent, and the default of its format holds.
    case formatDefault
    /// The weights are a file of OpenAI's, whose models all have QuickGELU.
    case publisher
    /// Whoever opened the model asked for it.
    case caller
}

/// An architecture with what its source said of it, and not.
struct StatedConfiguration {
    var configuration: CLIPConfiguration
    var imageActivationSource: ActivationSource
    var textActivationSource: ActivationSource

    /// A copy in which non-linearities take the place of the stated ones, where they are given.
    func overriding(image: Activation?, text: Activation?) -> StatedConfiguration {
        var result = self
        if let image {
            result.configuration.vision.activation = image
            result.imageActivationSource = .caller
        }
        if let text {
            result.configuration.text.activation = text
            result.textActivationSource = .caller
        }
        return result
    }
}

extension StatedConfiguration {
    /// Reads the `config.json` of a Hugging Face CLIP folder; see ``CLIPConfiguration/init(folder:)``.
    init(huggingFace folder: URL) throws(ConfigurationError) {
        let file = try ConfigurationSection(contentsOf: folder.appendingPathComponent("config.json"))
        if let type = file["model_type"], type != .string("clip") {
            throw file.invalid("model_type", .oneOf(["clip"]))
        }
        let vision = try Self.tower("vision_config", of: file)
        let text = try Self.tower("text_config", of: file)
        configuration = CLIPConfiguration(
            vision: try VisionConfiguration(vision), text: try TextConfiguration(text),
            embeddingWidth: try file.integer("projection_dim", default: 512, in: ArchitectureLimits.embeddingWidth))
        imageActivationSource = vision["hidden_act"] == nil ? .formatDefault : .configurationFile
        textActivationSource = text["hidden_act"] == nil ? .formatDefault : .configurationFile
    }

    private static func tower(
        _ key: String, of file: ConfigurationSection
    ) throws(ConfigurationError) -> ConfigurationSection {
        if let legacy = try file.section("\(key)_dict") { return legacy }
        return try file.section(key) ?? file.emptySection(key)
    }
}

extension StatedConfiguration {
    /// The architecture of a file of OpenAI's, which has no configuration beside it, from the shapes of its tensors.
    ///
    /// Everything but the number of heads shows in the shapes; a head is 64 wide in all of OpenAI's models, and
    /// their non-linearity is QuickGELU.
    ///
    /// - Parameters:
    ///   - shapes: by name.
    ///   - path: the file, for the error.
    /// - Throws: ``CheckpointError/cannotInfer(path:tensor:found:expected:)``.
    ///
    /// Source: openai/CLIP `clip/model.py`, `build_model`.
    init(
        openAI shapes: [String: [Int]], naming: ParameterNaming, path: String
    ) throws(CheckpointError) {
        typealias Limits = ArchitectureLimits
        let reader = ShapeReader(shapes: shapes, path: path)
        let patches = try reader.dimensions(
            naming.patchEmbedding, [Limits.width, 3...3, Limits.imageSize, Limits.imageSize], "[width, 3, patch, patch]"
        )
        guard patches[2] == patches[3] else { throw reader.error(naming.patchEmbedding, "[width, 3, patch, patch]") }
        let positions = try reader.dimensions(
            naming.positionEmbedding(.image), [2...Int(Int32.max), Limits.width], "[1 + grid · grid, width]")
        let grid = Int(Double(positions[0] - 1).squareRoot().rounded())
        guard grid * grid == positions[0] - 1, Limits.imageSize.contains(grid * patches[2]) else {
            throw reader.error(naming.positionEmbedding(.image), "[1 + grid · grid, width]")
        }
        let projection = try reader.dimensions(
            naming.projection(.image), [Limits.width, Limits.embeddingWidth], "[width, embedding]")
        let vocabulary = try reader.dimensions(
            naming.tokenEmbedding, [Limits.vocabularySize, Limits.width], "[vocabulary, width]")
        let context = try reader.dimensions(
            naming.positionEmbedding(.text), [Limits.contextLength, Limits.width], "[context, width]")
        configuration = CLIPConfiguration(
            vision: VisionConfiguration(
                imageSize: grid * patches[2], patchSize: patches[2], width: patches[0],
                layers: try reader.layers(.image, naming),
                heads: try reader.heads(naming.patchEmbedding, width: patches[0]),
                mlpWidth: try reader.mlpWidth(.image, naming), activation: .quickGELU, layerNormEpsilon: 1e-5),
            text: TextConfiguration(
                vocabularySize: vocabulary[0], contextLength: context[0], width: vocabulary[1],
                layers: try reader.layers(.text, naming),
                heads: try reader.heads(naming.tokenEmbedding, width: vocabulary[1]),
                mlpWidth: try reader.mlpWidth(.text, naming), activation: .quickGELU, layerNormEpsilon: 1e-5,
                pooling: .highestToken),
            embeddingWidth: projection[1])
        imageActivationSource = .publisher
        textActivationSource = .publisher
    }
}

/// Reads sizes off the shapes of tensors.
private struct ShapeReader {
    static let headWidth = 64

    let shapes: [String: [Int]]
    let path: String

    func error(_ tensor: String, _ expected: String) -> CheckpointError {
        .cannotInfer(path: path, tensor: tensor, found: shapes[tensor], expected: expected)
    }

    /// The shape of a tensor, each dimension in its range.
    func dimensions(
        _ tensor: String, _ ranges: [ClosedRange<Int>], _ expected: String
    ) throws(CheckpointError) -> [Int] {
        guard let shape = shapes[tensor], shape.count == ranges.count,
            zip(shape, ranges).allSatisfy({ $1.contains($0) })
        else { throw error(tensor, expected) }
        return shape
    }

    /// How many numbers blocks have; a gap between them is found when all parameters are looked for.
    func layers(_ tower: ParameterNaming.Tower, _ naming: ParameterNaming) throws(CheckpointError) -> Int {
        let prefix = naming.blocks(tower)
        let numbers = shapes.keys.filter { $0.hasPrefix(prefix) }.compactMap {
            Int($0.dropFirst(prefix.count).prefix { $0 != "." })
        }
        let layers = Set(numbers).count
        guard ArchitectureLimits.layers.contains(layers) else { throw error("\(prefix)0", "at least one block") }
        return layers
    }

    func heads(_ tensor: String, width: Int) throws(CheckpointError) -> Int {
        guard width.isMultiple(of: Self.headWidth) else {
            throw error(tensor, "a width that is a multiple of \(Self.headWidth)")
        }
        return width / Self.headWidth
    }

    func mlpWidth(_ tower: ParameterNaming.Tower, _ naming: ParameterNaming) throws(CheckpointError) -> Int {
        let bias = "\(naming.block(tower, 0).mlpInput).bias"
        return try dimensions(bias, [ArchitectureLimits.mlpWidth], "[neurons]")[0]
    }
}
