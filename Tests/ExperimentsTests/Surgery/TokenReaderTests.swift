import Attribution
import CLIPModel
import DenseMath
import Foundation
import Foundations
import TestSupport
import Testing

@testable import Experiments

/// Similarities of tokens with labels, image after image.
@Suite struct TokenReaderTests {
    private let vision = RandomVision.make()
    private let classifier: Tensor
    private let empty: Tensor
    private let images: StoredImages

    init() throws {
        var random = SplitMix64(seed: 8)
        func rows(_ count: Int, _ width: Int) -> Tensor {
            Tensor(shape: [count, width], elements: (0..<count * width).map { _ in Float(random.uniform(-1...1)) })
                .rowsNormalised()
        }
        classifier = rows(5, vision.embeddingWidth)
        empty = rows(1, vision.embeddingWidth)
        images = try StoredImages()
    }

    /// The same class token on the way of attributions.
    @Test func theClassTokensSimilaritiesAreTheModelsLogits() throws {
        let reader = try images.reader()
        let readings = [TokenReading.clip, .architectureSurgery(depth: 3)] + TokenReading.variants(depth: 2)
        let tokenReader = TokenReader(vision, readings, classifier: classifier)
        let scale: Float = 50
        let workspace = AttributionWorkspace(vision, classifier: classifier, logitScale: scale, methods: [.rollout])
        for index in 0..<5 {
            let tokens = try tokenReader.run(reader, index, of: StoredImages.name)
            let (answer, pass) = (tokens.answer, try reader.withImages(index..<index + 1) { workspace.run($0) })
            let sorted = pass.logits.sorted(by: >)
            #expect(
                pass.logits[answer.label] == sorted[0] && abs(answer.margin - (sorted[0] - sorted[1]) / scale) < 1e-5)
            for reading in readings {
                let row = try tokens.similarities(reading)[row: 0]
                let error = largestError(row, pass.logits.map { $0 / scale })
                #expect(row.count == 5 && error < 1e-5, "\(reading.name): off by \(error)")
            }
        }
    }

    @Test func patchesAreReadAsThePassEmbedsThem() throws {
        let reader = try images.reader()
        let recipe = SurgeryRecipe.surgery(depth: 2)
        let tokenReader = TokenReader(
            vision, [.clip, .surgery(depth: 2), .singleText(depth: 2)], classifier: classifier, empty: empty)
        let workspace = SurgeryWorkspace(vision, recipes: [recipe], capacity: 1)
        // In another order, and one image twice: nothing stays of the image before.
        for index in [3, 0, 4, 3] {
            let tokens = try tokenReader.run(reader, index, of: StoredImages.name)
            let pass = try reader.withImages(index..<index + 1) { workspace.run($0, batch: 1) }
            let (count, d) = (vision.tokens, vision.embeddingWidth)
            let embedded = Tensor(
                shape: [count, d], elements: Array(UnsafeBufferPointer(start: pass.embed(recipe), count: count * d))
            ).rowsNormalised()
            let cosines = embedded.times(classifier, transposed: true)
            let surgery = try tokens.similarities(.surgery(depth: 2))
            #expect(
                surgery.shape == [count, 5]
                    && largestError(
                        surgery.elements, FeatureSurgery.amongLabels(cosines, of: cosines[row: 0]).elements) < 1e-6
            )
            let empties = embedded.times(empty, transposed: true).elements
            let single = try tokens.similarities(.singleText(depth: 2))
            #expect(largestError(single.elements, cosines.elements.enumerated().map { $1 - empties[$0 / 5] }) < 1e-6)
            #expect(largestError(single.elements, surgery.elements) > 1e-3)
            // A map has the patches' similarities by rows, without the class token.
            let map = try tokens.map(.surgery(depth: 2), of: 2)
            #expect(map.side == 2 && map.values == (1..<count).map { surgery.elements[$0 * 5 + 2] })
        }
    }

    @Test func depthsAreRecipesOfTheirOwn() throws {
        let reader = try images.reader()
        let readings = (1...4).map { TokenReading.architectureSurgery(depth: $0) }
        let tokens = try TokenReader(vision, readings, classifier: classifier).run(reader, 0, of: StoredImages.name)
        for reading in readings {
            let alone = try TokenReader(vision, [reading], classifier: classifier).run(
                reader, 0, of: StoredImages.name)
            #expect(
                largestError(try tokens.similarities(reading).elements, try alone.similarities(reading).elements) < 1e-7
            )
        }
        #expect(
            largestError(try tokens.similarities(readings[0]).elements, try tokens.similarities(readings[1]).elements)
                > 1e-3)
        #expect(Set(readings.map(\.key)).count == 4)
    }

    @Test func aModelThatIsNotFiniteIsReported() throws {
        let reader = try images.reader()
        let broken = VisionTransformer(
            configuration: vision.configuration, patchEmbedding: vision.patchEmbedding.weight,
            classEmbedding: [Float](repeating: .nan, count: vision.width), positionEmbedding: vision.positionEmbedding,
            inputNorm: vision.inputNorm, blocks: vision.blocks, readout: vision.readout,
            normalisation: vision.normalisation)
        let tokens = TokenReader(broken, [.clip], classifier: classifier)
        #expect(throws: ExperimentError.notFinite(image: "d/seg/2", place: "embedding")) {
            _ = try tokens.run(reader, 2, of: StoredImages.name)
        }
        // Or its texts are not.
        var texts = classifier
        texts.elements[3] = .nan
        let unreadable = TokenReader(vision, [.surgery(depth: 2)], classifier: texts)
        #expect(throws: ExperimentError.notFinite(image: "d/seg/1", place: "similarities")) {
            _ = try unreadable.run(reader, 1, of: StoredImages.name)
        }
    }
}
