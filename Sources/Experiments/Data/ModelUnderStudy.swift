import CLIPModel
import DenseMath
import Foundation
import Inputs
import Lens

/// A model of the manifest: verified, its architecture known, its weights loaded when first needed.
public struct ModelUnderStudy: Sendable {
    public let name: String
    public let configuration: CLIPConfiguration
    /// One digest of all files that decide a number.
    public let digest: String
    public let clip: Shared<CLIP>
    /// The value/output paths of all heads.
    let paths: Shared<ValueOutputPaths>
    /// The non-linearity of the text tower: part of the key of every step that embeds texts.
    let textActivation: Activation

    /// - Throws: `InputError`, `ConfigurationError`, `CheckpointError`, `SafetensorsError`.
    public init(_ name: String, in manifest: DatasetsManifest) throws {
        let (entry, folder) = try manifest.model(name)
        let digests = try entry.verify(folder, name: name)
        self.name = name
        digest = ContentDigest.sha256(
            Data(digests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined().utf8))
        configuration = try CLIP.validate(folder: folder)
        let clip = Shared { try CLIP(folder: folder) }
        self.clip = clip
        paths = Shared { ValueOutputPaths(try clip.value().vision) }
        textActivation = configuration.text.activation
    }

    private init(_ model: ModelUnderStudy, textActivation: Activation) {
        (name, configuration, digest, paths) = (model.name, model.configuration, model.digest, model.paths)
        self.textActivation = textActivation
        let original = model.clip
        clip = Shared { try original.value().withTextActivation(textActivation) }
    }

    /// The same model with another non-linearity in its text tower.
    ///
    /// The public implementation of the second-order paper embeds class names and phrases with plain
    /// GELU although the models were trained with QuickGELU; this is how its numbers are chased.
    func withTextActivation(_ activation: Activation) -> ModelUnderStudy {
        activation == textActivation ? self : ModelUnderStudy(self, textActivation: activation)
    }

    /// Layers whose neurons have a second-order effect: all but the last.
    public var layersWithLaterAttention: Range<Int> { 0..<max(configuration.vision.layers - 1, 0) }

    /// The lens of each layer.
    /// - Throws: `LensError` and what loading throws.
    func lenses(_ layers: [Int]) throws -> [SecondOrderLens] {
        let (vision, paths) = (try clip.value().vision, try paths.value())
        return try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: vision) }
    }
}
