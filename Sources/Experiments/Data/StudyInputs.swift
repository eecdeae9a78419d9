import CLIPModel
import Foundation
import Inputs
import Pipeline

/// What the numbers of an experiment were made from: so that a setting can be found behind every number.
public struct StudyInputs: Codable, Sendable, Equatable {
    public struct Model: Codable, Sendable, Equatable {
        public var name: String
        /// SHA-256 over the files and settings that decide a number.
        public var digest: String
        public var format: String
        public var imageActivation: String
        public var textActivation: String
        /// Who decided them: `configurationFile`, `formatDefault`, `publisher` or `caller`.
        public var imageActivationSource: String
        public var textActivationSource: String
        /// Precision of the products with weights: `fp32` or `bf16`.
        public var precision: String
        /// How pictures are brought to the model's size.
        public var preprocessing: String
    }

    public struct Images: Codable, Sendable, Equatable {
        /// `fit` or `evaluation`.
        public var role: String
        public var name: String
        public var count: Int
        /// SHA-256 over ids, labels and contents; of scenes, that of the recipe's split.
        public var digest: String?
        /// Pictures that could not be read and were left out, with the reason.
        public var skipped: [PictureList.Skipped]
    }

    public var model: Model
    public var images: [Images]
    /// Names and sentences that the zero-shot classifier is made of.
    public var classes: [String]
    public var templates: [String]
}

extension StudyInputs {
    /// What a reader should know before anything is computed.
    public var warnings: [String] {
        images.indices.flatMap { first in
            images[..<first].filter { $0.name == images[first].name && $0.count == images[first].count }.map { other in
                "\(other.role) and \(images[first].role) are the same images (\(other.name)): what was fitted to images says less of them"
            }
        }
    }
}

extension StudyInputs.Model {
    /// - Parameter preprocessing: nil for the model's own.
    init(_ model: StudyModel, preprocessing: ImagePreprocessing? = nil) {
        let description = model.description
        self.init(
            name: model.name, digest: model.digest, format: description.format.rawValue,
            imageActivation: model.configuration.vision.activation.rawValue,
            textActivation: model.configuration.text.activation.rawValue,
            imageActivationSource: description.imageActivationSource.rawValue,
            textActivationSource: description.textActivationSource.rawValue, precision: model.precision.rawValue,
            preprocessing: (preprocessing ?? model.preprocessing).name)
    }
}

extension StudyInputs.Images {
    init(_ role: String, _ source: ImageSource) {
        self.init(
            role: role, name: source.name.name, count: source.count, digest: source.digest, skipped: source.skipped)
    }
}

extension StudyInputs {
    /// As a file beside the rows.
    /// - Throws: what encoding throws.
    public func attachment() throws -> Attachment {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Attachment("inputs.json", .bytes(try encoder.encode(self) + Data("\n".utf8)))
    }
}
