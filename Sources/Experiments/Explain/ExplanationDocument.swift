import Attribution
import CLIPModel
import Foundation
import Foundations
import Inputs

/// What an explanation was made of and what came out, beside its pictures.
struct ExplanationDocument: Encodable {
    struct Image: Encodable {
        /// As it was given.
        let path: String
        let sha256: String
        let width: Int
        let height: Int
    }

    struct Text: Encodable {
        let text: String
        let cosine: Float
        /// Smallest and largest value of the map, before it was brought to 0…1.
        let smallest: Float
        let largest: Float
    }

    /// Points in pixels of the image, x from its left, y from its upper edge.
    struct Points: Encodable {
        struct Prompt: Encodable {
            let texts: [String]
            /// The best last.
            let positive: [PointPrompts.Point]
            /// The worst first.
            let negative: [PointPrompts.Point]

            init(_ texts: [String], _ points: PointPrompts) {
                (self.texts, positive, negative) = (texts, points.positive, points.negative)
            }
        }

        let width: Int
        let height: Int
        /// One for each text, and with several texts one for all of them together.
        let prompts: [Prompt]

        init(_ explanation: Explanation, _ image: RGBImage) {
            (width, height) = (image.width, image.height)
            prompts =
                explanation.texts.map { Prompt([$0.text], $0.points) }
                + (explanation.together.map { [Prompt(explanation.texts.map(\.text), $0)] } ?? [])
        }
    }

    /// Names of the explanation's files, all in the folder of the document.
    let files: [String]
    let program: ProgramDescription
    let model: ModelEntry
    let image: Image
    let inputSize: Int
    let path: String
    let depth: Int
    /// Feature surgery behind the maps of texts, nil without texts; maps of word pieces are plain cosines.
    let features: String?
    let templates: [String]
    /// The vocabulary of feature surgery among labels.
    let labels: [String]?
    let texts: [Text]
    let sentence: String?
    let wordPieces: [String]?

    init(
        program: ProgramDescription, model: ModelEntry, image: Image, _ explanation: Explanation,
        _ settings: ExplanationSettings,
        sentence: String?, files: [String]
    ) {
        self.files = files
        (self.program, self.model, self.image, self.sentence) = (program, model, image, sentence)
        (inputSize, depth) = (explanation.inputSize, explanation.depth)
        (path, templates) = (settings.path.rawValue, settings.templates)
        features = explanation.texts.isEmpty ? nil : settings.features.rawValue
        labels = settings.features == .amongLabels ? settings.vocabulary(explanation.texts.map(\.text)) : nil
        texts = explanation.texts.map {
            Text(
                text: $0.text, cosine: $0.cosine, smallest: $0.map.values.min() ?? 0, largest: $0.map.values.max() ?? 0)
        }
        wordPieces = sentence == nil ? nil : explanation.words.map(\.piece)
    }

    private struct Files: Decodable {
        let files: [String]
    }

    /// The pictures that an explanation in a folder lists: names of the kind that explanations have, and nothing else.
    static func files(in folder: URL) -> [String] {
        guard
            let data = try? RegularFile.contents(
                of: folder.appendingPathComponent("explanation.json").path, limit: 1 << 26),
            let document = try? JSONDecoder().decode(Files.self, from: data)
        else { return [] }
        return document.files.filter { $0 == "words.png" || $0.wholeMatch(of: /[0-9]+(-[^\/]*)?\.png/) != nil }
    }
}
