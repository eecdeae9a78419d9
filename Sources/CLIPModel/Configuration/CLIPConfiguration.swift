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
