import CLIPModel
import DenseMath
import Lens
import TestSupport
import Testing

/// Everything the lens computes in head coordinates, against equations (1) and (2) evaluated term by term.
@Suite struct SecondOrderOracleTests {
    let vision = RandomVision.make()
    let imageCount = 12
    let images = RandomVision.images(12)
    let capacity = 5  // does not divide the number of images: the last batch is smaller

    var literal: [LiteralVision] {
        let size = images.count / imageCount
        return (0..<imageCount).map { LiteralVision(vision, image: images[$0 * size..<($0 + 1) * size]) }
    }

    /// Runs `body` on every batch.
    func forEachBatch(_ workspace: EffectWorkspace, _ body: (EffectPass, Int) throws -> Void) rethrows {
        let size = images.count / imageCount
        for start in stride(from: 0, to: imageCount, by: capacity) {
            let batch = min(capacity, imageCount - start)
            try body(workspace.run(Array(images[start * size..<(start + batch) * size]), batch: batch), start)
        }
    }

    @Test func representationMatchesTheLiteralForwardPass() throws {
        let workspace = EffectWorkspace(vision, layers: [0], capacity: capacity)
        let literal = literal
        forEachBatch(workspace) { pass, start in
            for image in 0..<pass.batch {
                let found = (image * 10..<(image + 1) * 10).map { pass.representations[$0] }
                let oracle = literal[start + image]
                #expect(relativeError(found, oracle.representation.map { $0 * oracle.scale }) < 1e-5)
            }
        }
    }

    @Test(arguments: [0, 1, 2]) func effectsMatchTheFormula(layer: Int) throws {
        let lens = try SecondOrderLens(layer: layer, paths: ValueOutputPaths(vision), vision: vision)
        let workspace = EffectWorkspace(vision, layers: [layer], capacity: capacity)
        let (K, d, N) = (lens.headCount, 10, lens.neurons)
        let s = FloatBuffer(N * capacity * K)
        let b = FloatBuffer(capacity * d)
        let total = FloatBuffer(capacity * d)
        let M = lens.headDirections(0..<N)
        let literal = literal
        forEachBatch(workspace) { pass, start in
            pass.coordinates(lens, into: s.base)
            pass.biasShares(lens, into: b.base)
            pass.totalEffects(lens, biasShares: b.base, into: total.base)
            for image in 0..<pass.batch {
                var sum = [Double](repeating: 0, count: d)
                for n in 0..<N {
                    let expected = literal[start + image].secondOrderEffect(layer: layer, neuron: n)
                    let found = (0..<d).map { j in
                        (0..<K).reduce(b.base[image * d + j]) {
                            $0 + s.base[(n * pass.batch + image) * K + $1] * M.elements[(n * K + $1) * d + j]
                        }
                    }
                    #expect(relativeError(found, expected) < 1e-4)
                    for j in 0..<d { sum[j] += expected[j] }
                }
                // The sum over all neurons, computed without any of them, holds N·b(I).
                #expect(relativeError((0..<d).map { total.base[image * d + $0] }, sum) < 1e-4)
            }
        }
    }

    @Test func biasShareAloneMatchesItsFormula() throws {
        // A neuron that never fires has no effect but its share of the biases.
        let silent = RandomVision.make(seed: 5)
        var blocks = silent.blocks
        var weight = blocks[1].mlpOutput.weight
        for i in 0..<silent.width { weight.elements[i * blocks[1].neurons] = 0 }
        let block = blocks[1]
        blocks[1] = TransformerBlock(
            heads: block.heads, attentionNorm: block.attentionNorm, queryKeyValue: block.queryKeyValue,
            attentionOutput: block.attentionOutput, mlpNorm: block.mlpNorm, mlpInput: block.mlpInput,
            activation: block.activation, mlpOutput: Linear(weight: weight, bias: block.mlpOutput.bias))
        let vision = VisionTransformer(
            configuration: silent.configuration, patchEmbedding: silent.patchEmbedding.weight,
            classEmbedding: silent.classEmbedding, positionEmbedding: silent.positionEmbedding,
            inputNorm: silent.inputNorm, blocks: blocks, readout: silent.readout, normalisation: silent.normalisation)
        let lens = try SecondOrderLens(layer: 1, paths: ValueOutputPaths(vision), vision: vision)
        let image = RandomVision.images(1, seed: 9)
        let pass = EffectWorkspace(vision, layers: [1], capacity: 1).run(image, batch: 1)
        let b = FloatBuffer(10)
        pass.biasShares(lens, into: b.base)
        let expected = LiteralVision(vision, image: image[...]).secondOrderEffect(layer: 1, neuron: 0)
        #expect(relativeError(b.elements, expected) < 1e-4)
    }

    @Test func layersWithoutLaterAttentionAreRefused() {
        #expect(throws: LensError.noLaterAttention(layer: 3, layers: 4)) {
            try SecondOrderLens(layer: 3, paths: ValueOutputPaths(vision), vision: vision)
        }
    }
}
