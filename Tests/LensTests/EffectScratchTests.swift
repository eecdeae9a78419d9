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
                lens,
                directions: Tensor(
                    shape: [lens.neurons, lens.embeddingWidth],
                    elements: (0..<lens.neurons * lens.embeddingWidth).map { Float($0 % 7) - 3 }))
        }
        func ablations(_ effects: [CentredEffects]) -> [(effects: CentredEffects, ablation: MeanAblation)] {
            effects.enumerated().map { index, effects in
                (
                    effects,
                    MeanAblation(
                        effects, means: means[index], thresholds: [Float](repeating: 2, count: effects.lens.neurons),
                        readings: readings[index], capacity: 4)
                )
            }
        }
        var sawSignificant = false
        let scratch = EffectScratch(lenses, capacity: 4)
        let together = ablations(
            lenses.indices.map {
                CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], scratch: scratch)
            })
        let apart = ablations(
            lenses.indices.map {
                CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], capacity: 4)
            })

        let workspace = EffectWorkspace(vision, layers: layers, capacity: 4)
        let pixels = RandomVision.images(7, seed: 22)
        try pixels.withUnsafeBufferPointer { pixels in
            let base = try #require(pixels.baseAddress)
            // A full batch, then a smaller one over what it left behind.
            for (first, batch) in [(0, 4), (4, 3)] {
                let pass = workspace.run(base + first * 192, batch: batch)
                for (shared, own) in zip(together, apart) {
                    let ablated = [shared, own].map { $0.ablation.run(pass, firstImage: first, seed: 5) }
                    let effects = [shared, own].map { $0.effects.run(pass) }
                    let lens = own.effects.lens
                    func equal(_ found: [UnsafePointer<Float>], _ count: Int) -> Bool {
                        UnsafeBufferPointer(start: found[0], count: count)
                            .elementsEqual(UnsafeBufferPointer(start: found[1], count: count))
                    }
                    #expect(equal(effects.map { $0.norms() }, lens.neurons * batch))
                    #expect(equal(effects.map(\.coordinates), lens.neurons * batch * lens.headCount))
                    #expect(ablated[0].significant == ablated[1].significant)
                    for condition in AblationCondition.allCases {
                        #expect(
                            equal(ablated.map { $0.representations(condition) }, batch * lens.embeddingWidth),
                            "\(condition)")
                    }
                    if ablated[1].significant.contains(where: { $0 > 0 }) { sawSignificant = true }
                }
            }
        }
        #expect(sawSignificant, "no neuron was significant")
    }

    /// Layers with one memory take turns: what an earlier one has found is not there any more.
    @Test func effectsThatAreOverwrittenAreNotRead() async {
        let result = await #expect(processExitsWith: .failure) { () throws in
            let vision = RandomVision.make(seed: 3)
            let lenses = try [0, 1].map {
                try SecondOrderLens(layer: $0, paths: ValueOutputPaths(vision), vision: vision)
            }
            let scratch = EffectScratch(lenses, capacity: 1)
            let layers = try lenses.map { lens in
                CentredEffects(
                    lens, factors: try lens.choleskyFactors(),
                    means: EffectMeans(
                        coordinates: Tensor(zeros: [lens.neurons, lens.headCount]),
                        biasShare: [Float](repeating: 0, count: lens.embeddingWidth),
                        total: [Float](repeating: 0, count: lens.embeddingWidth),
                        activations: Tensor(zeros: [vision.tokens, lens.neurons])), scratch: scratch)
            }
            let pass = EffectWorkspace(vision, layers: [0, 1], capacity: 1).run(
                RandomVision.images(1, seed: 22), batch: 1)
            let effects = layers[0].run(pass)
            guard effects.norms()[0].isFinite else { return }
            _ = layers[1].run(pass)
            _ = effects.norms()
        }
        // A thrown error would end it by a status.
        guard case .signal = result?.exitStatus else {
            Issue.record("ended by \(String(describing: result?.exitStatus))")
            return
        }
    }

    /// Neurons are looked at some at a time, and what is found does not hang on how many.
    @Test func blocksOfNeuronsFindWhatAllFindTogether() throws {
        let vision = RandomVision.make(
            VisionConfiguration(
                imageSize: 8, patchSize: 4, width: 16, layers: 4, heads: 2, mlpWidth: 600, activation: .quickGELU,
                layerNormEpsilon: 1e-5), seed: 4)
        let lens = try SecondOrderLens(layer: 1, paths: ValueOutputPaths(vision), vision: vision)
        let factors = try lens.choleskyFactors()
        let means = EffectMeans(
            coordinates: Tensor(zeros: [lens.neurons, lens.headCount]),
            biasShare: [Float](repeating: 0, count: lens.embeddingWidth),
            total: [Float](repeating: 0, count: lens.embeddingWidth),
            activations: Tensor(zeros: [vision.tokens, lens.neurons]))
        let readings = DirectionReadings(
            lens,
            directions: Tensor(
                shape: [lens.neurons, lens.embeddingWidth],
                elements: (0..<lens.neurons * lens.embeddingWidth).map { Float($0 % 7) - 3 }))
        let pass = EffectWorkspace(vision, layers: [1], capacity: 4).run(RandomVision.images(3, seed: 22), batch: 3)
        func found(together: Int) -> (significant: [Int], norms: [Float], representations: [[Float]], alone: [Float]) {
            let scratch = EffectScratch([lens], capacity: 4)
            scratch.coordinatesTogether = together * 3 * lens.headCount
            let effects = CentredEffects(lens, factors: factors, means: means, scratch: scratch)
            let ablation = MeanAblation(
                effects, means: means, thresholds: [Float](repeating: 0.5, count: lens.neurons), readings: readings,
                capacity: 4)
            let ablated = ablation.run(pass, firstImage: 0, seed: 5)
            let count = 3 * lens.embeddingWidth
            let representations = AblationCondition.allCases.map {
                Array(UnsafeBufferPointer(start: ablated.representations($0), count: count))
            }
            let centred = effects.run(pass)
            // The reconstruction by itself goes through the neurons in blocks of its own.
            let reconstruction = EffectReconstruction(readings, capacity: 4)
            let alone = reconstruction.run(centred, meanAblated: ablated.representations(.withoutAllNeurons))
            return (
                ablated.significant, Array(UnsafeBufferPointer(start: centred.norms(), count: 3 * lens.neurons)),
                representations, Array(UnsafeBufferPointer(start: alone.representations, count: count))
            )
        }
        let (all, some) = (found(together: 600), found(together: 7))
        #expect(
            all.significant == some.significant && all.significant.contains { $0 > 7 && $0 < lens.neurons },
            "\(all.significant)")
        #expect(largestError(all.norms, some.norms) < 1e-5)
        let condition = try #require(AblationCondition.allCases.firstIndex(of: .reconstructionFromPC1))
        let scale = all.representations[condition].map(abs).max() ?? 0
        for (one, other) in zip(all.representations, some.representations) {
            #expect(largestError(one, other) < 1e-5 * max(100, scale))
        }
        #expect(largestError(all.alone, all.representations[condition]) < 1e-5 * scale)
    }
}
