import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Lens

/// Layers that take turns with one memory find what they find with memory of their own.
@Suite struct EffectScratchTests {
    let vision = RandomVision.make(seed: 3)

    @Test func sharedMemoryGivesTheSameBytes() throws {
        let layers = [0, 1, 2]
        let paths = ValueOutputPaths(vision)
        let lenses = try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: vision) }
        let factors = try lenses.map { try $0.choleskyFactors() }
        let means = lenses.map { lens in
            EffectMeans(
                coordinates: Tensor(zeros: [lens.neurons, lens.headCount]),
                biasShare: [Float](repeating: 0, count: lens.embeddingWidth),
                total: [Float](repeating: 0, count: lens.embeddingWidth),
                activations: Tensor(zeros: [vision.tokens, lens.neurons]))
        }
        let readings = lenses.map { lens in
            DirectionReadings(
                lens, directions: Tensor(shape: [lens.neurons, lens.embeddingWidth], elements: (0..<lens.neurons * lens.embeddingWidth).map { Float($0 % 7) - 3 }))
        }
        func ablations(_ effects: [CentredEffects]) -> [MeanAblation] {
            effects.enumerated().map { index, effects in
                MeanAblation(
                    effects, means: means[index], thresholds: [Float](repeating: 2, count: effects.lens.neurons),
                    readings: readings[index], capacity: 4)
            }
        }
        let scratch = EffectScratch(lenses, capacity: 4)
        let together = ablations(lenses.indices.map {
            CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], scratch: scratch)
        })
        let apart = ablations(lenses.indices.map {
            CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], capacity: 4)
        })

        let pass = EffectPass(vision, layers: layers, capacity: 4)
        let pixels = RandomVision.images(7, seed: 22)
        pixels.withUnsafeBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            // A full batch, then a smaller one over what it left behind.
            for (first, batch) in [(0, 4), (4, 3)] {
                pass.run(base + first * 192, batch: batch)
                for (shared, own) in zip(together, apart) {
                    shared.update(pass, firstImage: first, seed: 5)
                    own.update(pass, firstImage: first, seed: 5)
                    shared.effects.evaluateNorms()
                    own.effects.evaluateNorms()
                    let lens = own.effects.lens
                    let count = lens.neurons * batch
                    #expect(shared.effects.norms.elements.prefix(count) == own.effects.norms.elements.prefix(count))
                    #expect(
                        shared.effects.coordinates.elements.prefix(count * lens.headCount)
                            == own.effects.coordinates.elements.prefix(count * lens.headCount))
                    #expect(shared.significant == own.significant)
                    for condition in AblationCondition.allCases {
                        for i in 0..<batch * lens.embeddingWidth {
                            #expect(shared.representations(condition)[i] == own.representations(condition)[i], "\(condition)")
                        }
                    }
                }
            }
        }
        #expect(apart.contains { $0.significant.contains { $0 > 0 } }, "no neuron was significant")
    }
}
