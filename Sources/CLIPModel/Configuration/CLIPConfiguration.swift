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
