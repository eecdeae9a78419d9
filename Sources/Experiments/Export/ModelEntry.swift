import CLIPModel
import Foundation
import Foundations
import Inputs
import Pipeline

/// The model of an export: which one, and how it was understood.
struct ModelEntry: Encodable {
    struct WeightsFile: Encodable {
        let name: String
        let sha256: String
    }

    struct Activation: Encodable {
        let name: String
        /// Who decided: `configurationFile`, `formatDefault`, `publisher` or `caller`.
        let source: ActivationSource
    }

    struct Tower: Encodable {
        let width: Int
        let layers: Int
        let heads: Int
        let mlpWidth: Int
        let activation: Activation
        let imageSize: Int?
        let patchSize: Int?
        let contextLength: Int?
        let vocabularySize: Int?
    }

    /// As it was given.
    let path: String
    let format: ModelFormat
    let weights: [WeightsFile]
    let embeddingWidth: Int
    /// The factor between cosines and logits.
    let logitScale: Float
    let imageTower: Tower
    let textTower: Tower

    /// Reads the files of the weights once more, for their digests.
    /// - Throws: `InputError`.
    init(_ clip: CLIP, path: String) throws {
        try self.init(clip, path: path) {
            try Digest.sha256(ofFile: URL(fileURLWithPath: $0), purpose: "a file of the model \(path)")
        }
    }

    /// - Throws: what loading the model throws.
    init(_ model: StudyModel, _ settings: Export.Settings) throws {
        try self.init(model.clip.value(), path: settings.model.relativePath) { model.digest(ofFile: $0) }
    }

    /// - Parameter sha256: of a file of the weights.
    private init(_ clip: CLIP, path: String, sha256: (String) throws -> String) rethrows {
        let (description, vision, text) = (clip.description, clip.configuration.vision, clip.configuration.text)
        self.path = path
        format = description.format
        weights = try description.weightsFiles.map { file in
            WeightsFile(name: URL(fileURLWithPath: file).lastPathComponent, sha256: try sha256(file))
        }
        embeddingWidth = clip.configuration.embeddingWidth
        logitScale = exp(clip.logitScale)
        imageTower = Tower(
            width: vision.width, layers: vision.layers, heads: vision.heads, mlpWidth: vision.mlpWidth,
            activation: Activation(name: vision.activation.rawValue, source: description.imageActivationSource),
            imageSize: vision.imageSize, patchSize: vision.patchSize, contextLength: nil, vocabularySize: nil)
        textTower = Tower(
            width: text.width, layers: text.layers, heads: text.heads, mlpWidth: text.mlpWidth,
            activation: Activation(name: text.activation.rawValue, source: description.textActivationSource),
            imageSize: nil, patchSize: nil, contextLength: text.contextLength, vocabularySize: text.vocabularySize)
    }
}

/// How pictures were brought to the model.
struct PreprocessingEntry: Encodable {
    let resize: String
    let filter: String
    let size: Int
    let centring: String
    let rescaleFactor: Double
    let mean: [Float]
    let standardDeviation: [Float]

    init(_ model: ModelDescription) {
        let preprocessing = model.preprocessing
        resize =
            switch preprocessing.resize {
            case .none: "none"
            case .shortestEdge(let length): "shortest edge to \(length)"
            case .exact(let size): "to \(size.height)×\(size.width)"
            }
        let square = ImagePreprocessing(model)
        (filter, size, centring) = ("\(square.filter)", square.geometry.size, square.geometry.centring.rawValue)
        (rescaleFactor, mean) = (preprocessing.rescaleFactor, preprocessing.mean)
        standardDeviation = preprocessing.standardDeviation
    }
}
