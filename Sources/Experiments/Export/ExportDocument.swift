import CLIPModel
import Foundation
import Inputs
import Safetensors

/// What stands in the header of an export, as JSON under ``key``: everything that is needed to read the
/// tensors and to make them again.
struct ExportDocument: Encodable {
    /// The key of safetensors' `__metadata__`.
    static let key = "clip-lens"
    /// Changes when a reader of an older document would be misled.
    static let formatVersion = 1

    struct TensorEntry: Encodable {
        let axes: [String]
        let shape: [Int]
        let unit: String
        let meaning: String
        let equation: String?
    }

    struct Images: Encodable {
        /// As it was given.
        let location: String
        /// Pictures there, of which `limit` may leave out the last.
        let found: Int
        let limit: Int?
        let preprocessing: PreprocessingEntry
        /// In the order of the axis `images`.
        let pictures: [Picture]
        let skipped: [PictureList.Skipped]

        init(_ selection: PictureSelection, _ dataset: PictureDataset, found: Int, _ model: ModelDescription) {
            (location, limit, self.found) = (selection.location, selection.limit, found)
            preprocessing = PreprocessingEntry(model)
            pictures = dataset.list.entries.map { Picture(id: $0.id, sha256: $0.digest, warning: $0.warning) }
            skipped = dataset.list.skipped
        }
    }

    struct Picture: Encodable {
        let id: String
        let sha256: String
        /// What was wrong with the file and made up for, as the reference's decoder does.
        let warning: String?
    }

    struct Text: Encodable {
        let text: String
        /// With start and end, as the model takes them.
        let tokens: Int
        /// Whether the context had no room for all of it.
        let isTruncated: Bool
        /// Tokens that all of it would take.
        let wanted: Int

        private enum CodingKeys: String, CodingKey {
            case text, tokens, isTruncated
        }

        /// - Throws: what loading the model throws.
        static func all(_ texts: [String], _ model: StudyModel) throws -> [Text] {
            let tokenizer = try model.clip.value().tokenizer
            return texts.map { text in
                let wanted = tokenizer.tokens(in: text).count + 2
                let tokens = min(wanted, tokenizer.contextLength)
                return Text(text: text, tokens: tokens, isTruncated: wanted > tokens, wanted: wanted)
            }
        }
    }

    /// What was asked for, as far as it applies.
    struct Settings: Encodable {
        var layer: Int?
        var layers: [Int]?
        var neurons: [Int]?
        /// Layer and head of each index of the axis `heads`.
        var heads: [[Int]]?
        /// Images with the largest effects that a neuron's principal direction is fitted to.
        var significantImages: Int?
        var method: String?
        /// Neurons of a second-order map.
        var neuronsPerText: Int?
        /// Texts that only the mean of the classes contains.
        var contrastTexts: [String]?
    }

    let formatVersion = Self.formatVersion
    let contents: String
    let program: ProgramDescription
    let model: ModelEntry
    let images: Images?
    let texts: [Text]?
    let settings: Settings
    let tensors: [String: TensorEntry]

    init(
        contents: String, program: ProgramDescription, model: ModelEntry, images: Images?, texts: [Text]?,
        settings: Settings, tensors: [ExportTensor]
    ) {
        (self.contents, self.program, self.model) = (contents, program, model)
        (self.images, self.texts, self.settings) = (images, texts, settings)
        self.tensors = tensors.reduce(into: [:]) {
            $0[$1.name] = TensorEntry(
                axes: $1.axes.map(\.name), shape: $1.shape, unit: $1.unit, meaning: $1.meaning, equation: $1.equation)
        }
    }

    /// What of it a person should know before the numbers are used.
    var notices: [Export.Notice] {
        let images = images.map { images in
            images.skipped.map { Export.Notice.skipped(picture: $0.id, reason: $0.reason) }
                + images.pictures.compactMap { picture in
                    picture.warning.map { .doubtful(picture: picture.id, warning: $0) }
                }
        }
        let texts = texts?.filter(\.isTruncated).map { Export.Notice.truncated(text: $0.text, tokens: $0.wanted) }
        return (images ?? []) + (texts ?? [])
    }

    /// One line of JSON with sorted keys.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}

/// A tensor of an export, and what its reader has to know of it.
public struct ExportTensor: Sendable {
    /// What is counted along one dimension, and how far.
    public struct Axis: Sendable {
        public let name: String
        public let count: Int

        init(_ name: String, _ count: Int) {
            self.name = name
            self.count = count
        }
    }

    public let name: String
    public let axes: [Axis]
    public let unit: String
    public let meaning: String
    /// Where the number is defined, or how it is made of the others.
    public let equation: String?
    let type: ElementType

    init(
        _ name: String, _ axes: [Axis], type: ElementType = .float32, unit: String, meaning: String,
        equation: String? = nil
    ) {
        (self.name, self.axes, self.type, self.unit, self.meaning, self.equation) = (
            name, axes, type, unit, meaning, equation
        )
    }

    public var shape: [Int] { axes.map(\.count) }
    var declaration: TensorDeclaration { TensorDeclaration(name, type, shape: shape) }
}

/// The program that writes an export.
public struct ProgramDescription: Sendable, Encodable {
    public var name: String
    public var version: String
    /// Commit of the repository that the program was built in; nil where there is none.
    public var commit: String?
    /// Whether that repository has changes beyond the commit.
    public var isDirty: Bool?

    public init(name: String, version: String, commit: String? = nil, isDirty: Bool? = nil) {
        (self.name, self.version, self.commit, self.isDirty) = (name, version, commit, isDirty)
    }
}
