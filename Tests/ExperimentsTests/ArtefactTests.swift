import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline
import Testing

@testable import Experiments

/// What steps store comes back as it was, and what is not theirs is refused.
@Suite struct ArtefactTests {
    @Test func scenesComeBackWithTheirDigest() throws {
        let compositor = try SceneCompositor(sources: EmojiSources())
        let scenes = SceneSet((0..<5).map { compositor.scene(.seg, $0) }, imageSize: 64)
        let back = try SceneSet(scenes.stored())
        #expect(back.digest == scenes.digest)
        #expect(back.labels == scenes.labels && back.secondLabels == scenes.secondLabels)
        #expect(back.captions == scenes.captions && back.imageSize == 64)
        #expect(SceneSet(joining: [scenes, back], imageSize: 64).imageDigest(7) == scenes.imageDigest(2))
    }

    @Test func meansComeBackByLayer() throws {
        let means = FittedMeans(layers: [
            3: EffectMeans(
                coordinates: Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]), biasShare: [7, 8], total: [9, 10],
                activations: Tensor(shape: [1, 2], elements: [11, 12]))
        ])
        let back = try FittedMeans(means.stored())
        #expect(back.layers == means.layers)
        #expect(throws: PipelineError.self) { try back.layer(4) }
    }

    @Test func predictionsOfAnotherSizeAreRefused() throws {
        var predictions = AblationPredictions(layers: [0])
        predictions.labels = [Int32](repeating: 1, count: AblationPredictions.conditions.count)
        predictions.margins = [Float](repeating: 1, count: AblationPredictions.conditions.count)
        predictions.significant = [4]
        #expect(try AblationPredictions(predictions.stored()).labels == predictions.labels)
        guard case .tensors(var tensors, let metadata) = try predictions.stored() else { return }
        tensors["significant"] = try .init([4, 4] as [Int32], shape: [2, 1])
        #expect(throws: PipelineError.self) { try AblationPredictions(.tensors(tensors, metadata: metadata)) }
    }
}
