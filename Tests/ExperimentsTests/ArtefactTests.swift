import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// What steps store comes back as it was, and what is not theirs is refused.
@Suite struct ArtefactTests {
    @Test func imagesComeBackWithTheirDigest() throws {
        let compositor = try SceneCompositor(sources: EmojiSources())
        let scenes = (0..<5).map { compositor.scene(.seg, $0) }
        let shard = ImageShard(scenes, imageSize: 64)
        let back = try ImageShard(shard.stored())
        #expect(back == shard && back.count == 5 && back.imageSize == 64)
        #expect(back.facts.captions == scenes.map(\.caption))
        #expect(back.image(3).pixels == scenes[3].image.pixels && back.mask(3) == scenes[3].mask)
        // However a split is cut, its digest is that of the whole.
        #expect(
            SceneDigest.of([shard])
                == SceneDigest.of([
                    ImageShard(Array(scenes[..<2]), imageSize: 64), ImageShard(Array(scenes[2...]), imageSize: 64),
                ]))
        #expect(SceneDigest.of([shard]) != SceneDigest.of([ImageShard(scenes.reversed(), imageSize: 64)]))
    }

    @Test func factsWithoutSomeImagesAreRefused() throws {
        var facts = ImageFacts()
        facts.append(label: 1, objects: [1], caption: "a", digest: "x")
        facts.append(label: -1, objects: [], caption: "b", digest: "y")
        facts.append(label: 2, objects: [2, -1, 3], caption: "", digest: "z")
        #expect(try ImageFacts(facts.stored()) == facts && ImageFacts(ImageFacts().stored()) == ImageFacts())
        // A digest too few; a count that leads beyond the objects; half a character.
        try expectRefusal(facts, "digests-lengths", numbers: [1, 1, 0])
        try expectRefusal(facts, "digests-lengths", [2], integers: true)
        try expectRefusal(facts, "objects-lengths", numbers: [1, 0, 9])
        try expectRefusal(facts, "objects-lengths", numbers: [1, -1, 4])
        try expectNoPartCanBeMissing(facts)
        try expectRefusal(facts, "captions", of: StoredTensor([0x61, 0xC3] as [UInt8], shape: [2]))
    }

    @Test func meansComeBackByLayer() throws {
        let means = EffectMeans(
            coordinates: Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]), biasShare: [7, 8], total: [9, 10],
            activations: Tensor(shape: [1, 2], elements: [11, 12]))
        let fitted = FittedMeans(layers: [3: .init(means: means, floors: [0.5, 0.25])])
        let back = try FittedMeans(fitted.stored())
        #expect(try back.layer(3).means == means && back.layer(3).floors == [0.5, 0.25])
        #expect(throws: PipelineError.self) { try back.layer(4) }
        try expectRefusal(fitted, "3.floors", [3])
        try expectNoPartCanBeMissing(fitted)
    }

    @Test func predictionsOfAnotherSizeAreRefused() throws {
        var predictions = AblationPredictions(layers: [0])
        predictions.labels = [Int32](repeating: 1, count: AblationPredictions.conditions.count)
        predictions.margins = [Float](repeating: 1, count: AblationPredictions.conditions.count)
        #expect(try AblationPredictions(predictions.stored()).labels == predictions.labels)
        try expectRefusal(predictions, "labels", of: StoredTensor([4, 4] as [Int32], shape: [2, 1]))
    }
}
