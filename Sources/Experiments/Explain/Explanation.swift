import Attribution
import CLIPModel
import DenseMath
import Inputs

/// What a model sees of some texts in one picture: a map and points for each, and maps of a sentence's word pieces.
public struct Explanation: Sendable {
    public struct Text: Sendable {
        public let text: String
        /// Cosine of the text with the picture's embedding, that of the tower as it is.
        public let cosine: Float
        /// Similarities of the patches; of any scale.
        public let map: HeatMap
        public let points: PointPrompts
    }

    public struct WordPiece: Sendable {
        /// What the token spells.
        public let piece: String
        /// Cosines of the patches with what the text tower says at this token.
        public let map: HeatMap
    }

    public let texts: [Text]
    /// The points of all texts for one prompt; nil for a single text.
    public let together: PointPrompts?
    /// Word pieces of the sentence, with its start and end; none without a sentence.
    public let words: [WordPiece]
    /// Height and width of the input, in pixels.
    public let inputSize: Int
    /// Last blocks with a second path.
    public let depth: Int

    /// - Parameters:
    ///   - image: of any size; it is squashed to a square.
    ///   - sentence: whose word pieces are compared with the patches, too.
    /// - Throws: `InputSizeError`; ``ExperimentError/notFinite(image:place:)``.
    public init(
        _ clip: CLIP, _ image: RGBImage, named name: String, texts: [String], sentence: String? = nil,
        _ settings: ExplanationSettings
    ) throws {
        let vision = try clip.vision.resized(to: settings.inputSize ?? clip.configuration.vision.imageSize)
        inputSize = vision.configuration.imageSize
        let reading = settings.reading(layers: vision.blocks.count)
        depth = reading.recipe.depth
        let square = ImagePreprocessing(clip.description).squashing(to: inputSize)(image)

        let labels = settings.vocabulary(texts)
        let tokens =
            labels.isEmpty
            ? nil
            : try TokenReader(
                vision, [reading],
                classifier: ZeroShotClassifier(clip, names: labels, templates: settings.templates).weights,
                empty: reading.features == .singleText
                    ? ZeroShotClassifier(clip, names: [""], templates: settings.templates).weights : nil
            ).run(square.pixels, named: name)
        self.texts = try texts.map { text in
            guard let tokens, let column = labels.firstIndex(of: text) else { preconditionFailure("texts are labels") }
            let map = try tokens.map(reading, of: column)
            return Text(
                text: text, cosine: try tokens.ofImage(.clip)[column], map: map,
                points: PointPrompts(map, width: image.width, height: image.height))
        }
        together =
            texts.count > 1
            ? PointPrompts(together: self.texts.map(\.map), width: image.width, height: image.height) : nil
        words =
            try sentence.map { sentence in
                let ids = clip.tokenizer.encode(sentence)
                let plain = TokenReading(
                    name: reading.name, title: reading.title, recipe: reading.recipe, features: .plain)
                let tokens = try TokenReader(
                    vision, [plain], classifier: clip.text.everyPosition(of: ids).rowsNormalised()
                ).run(square.pixels, named: name)
                return try clip.tokenizer.pieces(of: ids).enumerated().map { index, piece in
                    WordPiece(piece: piece, map: try tokens.map(plain, of: index))
                }
            } ?? []
    }
}
