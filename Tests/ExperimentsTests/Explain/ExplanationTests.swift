import CLIPModel
import DenseMath
import Foundation
import Inputs
import Safetensors
import TestSupport
import Testing

@testable import Attribution
@testable import Experiments

/// One picture's maps and points, put together by hand from the parts.
@Suite struct ExplanationTests {
    private let sample: ExportSample
    /// Not square, so that width and height cannot be taken for each other.
    private let picture: RGBImage
    private let templates = ["{}", "a {}"]

    init() throws {
        sample = try ExportSample(count: 1)
        var pixels: [UInt8] = []
        for row in 0..<24 {
            for column in 0..<40 { pixels += [UInt8(10 * row), UInt8(6 * column), UInt8((row * column) % 251)] }
        }
        picture = RGBImage(width: 40, height: 24, pixels: pixels)
    }

    private func explain(
        _ texts: [String], sentence: String? = nil, _ change: (inout ExplanationSettings) -> Void = { _ in }
    ) throws -> Explanation {
        var settings = ExplanationSettings(templates: templates)
        change(&settings)
        return try Explanation(sample.clip(), picture, named: "picture", texts: texts, sentence: sentence, settings)
    }

    /// Tokens of the squashed picture by a recipe, of unit length. // [T, d]
    private func tokens(_ clip: CLIP, _ recipe: SurgeryRecipe, size: Int) throws -> Tensor {
        let vision = try clip.vision.resized(to: size)
        let square = ImagePreprocessing(SquareGeometry(size: size, resize: .exact(width: size, height: size)))(picture)
        let pass = SurgeryWorkspace(vision, recipes: [recipe], capacity: 1).run(square.pixels, batch: 1)
        let count = vision.tokens * vision.embeddingWidth
        return Tensor(
            shape: [vision.tokens, vision.embeddingWidth],
            elements: Array(UnsafeBufferPointer(start: pass.embed(recipe), count: count))
        ).rowsNormalised()
    }

    /// The mean of the sentences' embeddings, of unit length.
    private func text(_ clip: CLIP, _ name: String) -> [Float] {
        let embedded = clip.embed(texts: templates.map { $0.replacing("{}", with: name) })
        let sum = (0..<embedded.rowWidth).map { embedded.elements[$0] + embedded.elements[embedded.rowWidth + $0] }
        return Tensor(shape: [1, sum.count], elements: sum).rowsNormalised().elements
    }

    @Test(arguments: [8, 16]) func aMapIsTheTokensLikenessToTheTextBeyondTheEmptyText(size: Int) throws {
        let clip = try sample.clip()
        let found = try explain(["dog", "ship"]) {
            $0.inputSize = size; $0.depth = 3
        }
        #expect(found.inputSize == size && found.depth == 3)
        let tokens = try tokens(clip, .surgery(depth: 3), size: size)
        let empty = text(clip, "")
        for item in found.texts {
            let direction = zip(text(clip, item.text), empty).map { $0 - $1 }
            let expected = (1..<tokens.shape[0]).map { row in
                zip(tokens[row: row], direction).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            }
            let error = largestError(item.map.values, expected)
            #expect(error < 1e-5, "map of \(item.text) off by \(error)")
            let cosine = zip(tokens[row: 0], text(clip, item.text)).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            #expect(abs(item.cosine - cosine) < 1e-5)
        }
    }

    @Test func textsByThemselvesDoNotDependOnOthers() throws {
        let both = try explain(["dog", "ship"])
        let alone = try explain(["ship"])
        #expect(both.texts[1].map == alone.texts[0].map && alone.together == nil && both.together != nil)
        let among = try explain(["ship"]) {
            $0.features = .amongLabels; $0.labels = ["dog", "cat", "ship"]
        }
        #expect(among.texts[0].map != alone.texts[0].map)
        // The label of the text itself counts once.
        #expect(
            try explain(["ship"]) {
                $0.features = .amongLabels; $0.labels = ["dog", "cat"]
            }.texts[0].map == among.texts[0].map)
        let plain = try explain(["ship"]) {
            $0.features = .plain; $0.path = .clip
        }
        #expect(plain.depth == 0 && plain.texts[0].map != alone.texts[0].map)
    }

    @Test func pointsLieInThePictureWhereItsMapIs() throws {
        let found = try explain(["dog", "ship"]) { $0.inputSize = 32 }
        for item in found.texts {
            #expect(!item.points.positive.isEmpty && item.points.positive.count == item.points.negative.count)
            for point in item.points.positive + item.points.negative {
                #expect((0..<40).contains(point.x) && (0..<24).contains(point.y))
            }
            #expect(item.points == PointPrompts(item.map, width: 40, height: 24))
        }
        #expect(found.together?.positive == found.texts.flatMap(\.points.positive))
    }

    @Test func wordPiecesAreReadUpToTheirPlace() throws {
        let clip = try sample.clip()
        let found = try explain([], sentence: "ab c")
        #expect(found.words.map(\.piece) == ["<|startoftext|>", "a", "b", "c", "<|endoftext|>"])
        let tokens = try tokens(clip, .surgery(depth: 4), size: 8)
        // The end's is the embedding of the whole text.
        let whole = clip.embed(texts: ["ab c"]).elements
        let expected = (1..<tokens.shape[0]).map { row in
            zip(tokens[row: row], whole).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        }
        let error = largestError(try #require(found.words.last).map.values, expected)
        #expect(error < 1e-5, "off by \(error)")
        #expect(found.words[1].map != found.words[2].map)
    }

    @Test func tokensThatAreNotFiniteAreNamed() throws {
        try sample.model.writeWeights { tensors in
            let name = "vision_model.post_layernorm.weight"
            let shape = try #require(tensors[name]).shape
            tensors[name] = try StoredTensor([Float](repeating: 3e38, count: shape.reduce(1, *)), shape: shape)
        }
        #expect(throws: ExperimentError.notFinite(image: "picture", place: "embedding")) { try explain(["dog"]) }
    }

    @Test func sizesThatPatchesDoNotFillAreRefused() throws {
        #expect(throws: InputSizeError.self) { try explain(["dog"]) { $0.inputSize = 10 } }
    }
}
