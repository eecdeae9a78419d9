import Foundation

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

        init(_ tensor: ExportTensor) {
            axes = tensor.axes.map(\.name)
            shape = tensor.shape
            unit = tensor.unit
            meaning = tensor.meaning
            equation = tensor.equation
        }
    }

    struct Images: Encodable {
        /// As it was given.
        let location: String
        /// Pictures there, of which `limit` may leave out the last.
        let found: Int
        let limit: Int?
        let preprocessing: PreprocessingEntry
        /// In the order of the axis `images`.
        let pictures: [PreparedPictures.Picture]
        let skipped: [PreparedPictures.Skipped]
    }

    struct Text: Encodable {
        let text: String
        /// With start and end, as the model takes them.
        let tokens: Int
        /// Whether the context had no room for all of it.
        let isTruncated: Bool
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

    /// One line of JSON with sorted keys.
    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
