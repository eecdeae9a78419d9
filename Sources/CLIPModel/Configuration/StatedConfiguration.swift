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
