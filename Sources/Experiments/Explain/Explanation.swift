import Attribution
import CLIPModel
import DenseMath
import Inputs

/// What a model sees of some texts in one picture: a map and points for each, and maps of a sentence's word pieces.
public struct Explanation: Sendable {
    public struct Text: Sendable {
        public let text: String
        /// Of the picture's embedding, that of the tower as it is.
        public let cosine: Float
        /// Similarities of the patches; of any scale.
        public let map: HeatMap
        public let points: PointPrompts
    }

    public struct WordPiece: Sendable {
        /// What the token spells.
        public let piece: String
        /// Similarities of the patches with what the text tower says at this token.
        public let map: HeatMap
    }

    public let texts: [Text]
    /// The points of all texts for one prompt; nil for a single text.
    public let together: PointPrompts?
    /// Of the sentence, with its start and end.
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
        depth = settings.path == .clip ? 0 : settings.path.recipe(depth: settings.depth(of: vision.blocks.count)).depth
        let recipe = settings.path.recipe(depth: settings.depth(of: vision.blocks.count))
        let pass = SurgeryPass(vision, recipes: [recipe], capacity: 1)
        pass.run(ImagePreprocessing(clip.description).squashing(to: inputSize)(image).pixels, batch: 1)
        let (tokens, d) = (vision.tokens, vision.embeddingWidth)
        let embedded = Tensor(
            shape: [tokens, d], elements: Array(UnsafeBufferPointer(start: pass.embed(recipe), count: tokens * d)))
        guard embedded.elements.allSatisfy(\.isFinite) else {
            throw ExperimentError.notFinite(image: name, place: "tokens")
        }
        let patches = embedded.rowsNormalised()

        let labels = (texts + (settings.features == .amongLabels ? settings.labels : [])).uniqued()
        let similarities: Tensor
        let cosines: Tensor
        if labels.isEmpty {
            (cosines, similarities) = (Tensor(zeros: [tokens, 0]), Tensor(zeros: [tokens, 0]))
        } else {
            let weights = ZeroShotClassifier(clip, names: labels, templates: settings.templates).weights
            cosines = patches.times(weights, transposed: true)
            switch settings.features {
            case .plain: similarities = cosines
            case .amongLabels: similarities = FeatureSurgery.amongLabels(cosines)
            case .singleText:
                let empty = ZeroShotClassifier(clip, names: [""], templates: settings.templates).weights
                similarities = FeatureSurgery.single(cosines, empty: patches.times(empty, transposed: true).elements)
            }
        }
        self.texts = try texts.map { text in
            let column = labels.firstIndex(of: text) ?? 0
            let map = try Self.map(similarities, column, side: vision.configuration.gridSize, named: name)
            return Text(
                text: text, cosine: cosines.elements[column], map: map,
                points: PointPrompts(map, width: image.width, height: image.height))
        }
        together = texts.count > 1
            ? PointPrompts(together: self.texts.map(\.map), width: image.width, height: image.height) : nil
        words = try sentence.map { sentence in
            let ids = clip.tokenizer.encode(sentence)
            let found = patches.times(clip.text.everyPosition(of: ids).rowsNormalised(), transposed: true)
            return try clip.tokenizer.pieces(of: ids).enumerated().map { index, piece in
                WordPiece(piece: piece, map: try Self.map(found, index, side: vision.configuration.gridSize, named: name))
            }
        } ?? []
    }

    /// The patches' column of a matrix whose first row is the class token's.
    private static func map(_ similarities: Tensor, _ column: Int, side: Int, named name: String) throws -> HeatMap {
        let columns = similarities.rowCount
        let values = (1..<similarities.shape[0]).map { similarities.elements[$0 * columns + column] }
        guard values.allSatisfy(\.isFinite) else { throw ExperimentError.notFinite(image: name, place: "similarities") }
        return HeatMap(side: side, values: values)
    }
}
