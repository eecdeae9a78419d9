import Foundation

/// The architecture of a CLIP: two towers that embed images and texts in one space.
///
/// Whoever makes one in code, rather than from a file, answers for what the file's reader checks:
/// sizes are positive, heads divide widths, patches divide images.
public struct CLIPConfiguration: Equatable, Sendable {
    public var vision: VisionConfiguration
    public var text: TextConfiguration
    /// Numbers in an embedding, of an image as of a text.
    public var embeddingWidth: Int

    public init(vision: VisionConfiguration, text: TextConfiguration, embeddingWidth: Int) {
        self.vision = vision
        self.text = text
        self.embeddingWidth = embeddingWidth
    }
}

extension CLIPConfiguration {
    /// Reads the `config.json` of a Hugging Face CLIP folder.
    ///
    /// A key that is absent has the default of `transformers`, which leaves out what equals its
    /// defaults. Files of old may describe a tower twice, in `text_config` and `text_config_dict`;
    /// where the latter is not `null` it alone counts, as in `CLIPConfig`.
    ///
    /// - Parameter folder: has `config.json`.
    /// - Throws: ``ConfigurationError`` with path, key and expectation.
    ///
    /// Source: `transformers` `configuration_clip.py`.
    public init(folder: URL) throws(ConfigurationError) {
        self = try StatedConfiguration(huggingFace: folder).configuration
    }
}

/// What a configuration may ask for.
///
/// Several times the largest CLIP published (ViT-bigG: width 1664, MLP 8192, 48 layers), and small
/// enough that no product of them that the engine forms, such as the number of elements of a
/// tensor, comes near 2⁶³.
enum ArchitectureLimits {
    static let imageSize = 1...(1 << 12)
    static let width = 1...(1 << 14)
    static let layers = 1...(1 << 10)
    static let heads = 1...(1 << 10)
    static let mlpWidth = 1...(1 << 17)
    static let embeddingWidth = 1...(1 << 14)
    static let vocabularySize = 3...(1 << 22)
    /// At least the start and the end token.
    static let contextLength = 2...(1 << 14)
    /// Positive as a Float too, lest a constant row be divided by zero.
    static let layerNormEpsilon = 1e-30...1.0
}

extension CLIPConfiguration {
    /// The parameters of a `CLIPModel` of `transformers`, by their names in its state dict.
    ///
    /// Matrices are `[out, in]`, as in `torch.nn.Linear`: y = x·Wᵀ + b.
    public var expectedShapes: [(name: String, shape: [Int])] { expectedShapes(.huggingFace) }

    /// The parameters of this architecture under the names of an implementation.
    public func expectedShapes(_ naming: ParameterNaming) -> [(name: String, shape: [Int])] {
        [
            (naming.logitScale, []),
            (naming.tokenEmbedding, [text.vocabularySize, text.width]),
            (naming.positionEmbedding(.text), [text.contextLength, text.width]),
        ]
            + (0..<text.layers).flatMap {
                Self.block(naming.block(.text, $0), width: text.width, mlpWidth: text.mlpWidth)
            }
            + Self.layerNorm(naming.outputNorm(.text), width: text.width)
            + [
                (naming.classEmbedding, [vision.width]),
                (
                    naming.patchEmbedding,
                    [vision.width, VisionConfiguration.channels, vision.patchSize, vision.patchSize]
                ),
                (naming.positionEmbedding(.image), [vision.tokens, vision.width]),
            ]
            + Self.layerNorm(naming.inputNorm, width: vision.width)
            + (0..<vision.layers).flatMap {
                Self.block(naming.block(.image, $0), width: vision.width, mlpWidth: vision.mlpWidth)
            }
            + Self.layerNorm(naming.outputNorm(.image), width: vision.width)
            + [
                (naming.projection(.image), projection(naming, width: vision.width)),
                (naming.projection(.text), projection(naming, width: text.width)),
            ]
    }

    /// Checks that a checkpoint has the parameters of this architecture, all of them and no others.
    ///
    /// - Parameters:
    ///   - shapes: the shape of each of the checkpoint's tensors. What ``ParameterNaming`` ignores may be there, and
    ///     a scalar may be a list of one, as some versions of OpenCLIP save it.
    ///   - path: the checkpoint, for the error.
    /// - Throws: ``ConfigurationError/parametersDisagree(path:missing:unexpected:mismatched:)``
    ///   with every disagreement, those of one kind in the order of ``expectedShapes(_:)`` or, where
    ///   that does not know them, of their names.
    public func check(
        shapes: [String: [Int]], naming: ParameterNaming = .huggingFace, path: String
    ) throws(ConfigurationError) {
        var unexpected = Set(shapes.keys.filter { !naming.ignores($0) })
        var missing: [String] = []
        var mismatched: [ConfigurationError.ShapeMismatch] = []
        for (name, expected) in expectedShapes(naming) {
            unexpected.remove(name)
            guard let found = shapes[name] else {
                missing.append(name)
                continue
            }
            if found != expected && !(expected.isEmpty && found == [1]) {
                mismatched.append(.init(name: name, expected: expected, found: found))
            }
        }
        guard missing.isEmpty, unexpected.isEmpty, mismatched.isEmpty else {
            throw .parametersDisagree(
                path: path, missing: missing, unexpected: unexpected.sorted(),
                mismatched: mismatched)
        }
    }

    // MARK: - Parts

    private typealias Shapes = [(name: String, shape: [Int])]

    private func projection(_ naming: ParameterNaming, width: Int) -> [Int] {
        naming.hasTransposedProjections ? [width, embeddingWidth] : [embeddingWidth, width]
    }

    private static func block(_ names: BlockNames, width: Int, mlpWidth: Int) -> Shapes {
        let queryKeyValue: Shapes =
            switch names.queryKeyValue {
            case .apart(let parts): parts.flatMap { linear($0, from: width, to: width) }
            case .stacked(let weight, let bias): [(weight, [3 * width, width]), (bias, [3 * width])]
            }
        return queryKeyValue
            + linear(names.attentionOutput, from: width, to: width)
            + layerNorm(names.attentionNorm, width: width)
            + linear(names.mlpInput, from: width, to: mlpWidth)
            + linear(names.mlpOutput, from: mlpWidth, to: width)
            + layerNorm(names.mlpNorm, width: width)
    }

    private static func linear(_ name: String, from input: Int, to output: Int) -> Shapes {
        [("\(name).weight", [output, input]), ("\(name).bias", [output])]
    }

    private static func layerNorm(_ name: String, width: Int) -> Shapes {
        [("\(name).weight", [width]), ("\(name).bias", [width])]
    }
}
