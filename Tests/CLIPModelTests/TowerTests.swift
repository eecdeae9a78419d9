import DenseMath
import Foundation
import Foundations
import TestSupport
import Testing

@testable import CLIPModel

/// Properties of the towers that do not need a reference: batching, captures, text lengths.
@Suite struct TowerTests {
    let vision = RandomVision.make()

    func embeddings(_ pass: VisionPass) -> [Float] {
        Array(UnsafeBufferPointer(start: pass.embeddings, count: pass.batch * vision.embeddingWidth))
    }

    func embeddings(_ images: [UInt8], capacity: Int) -> [Float] {
        let size = images.count / 7
        let workspace = VisionWorkspace(vision, capacity: capacity)
        var result: [Float] = []
        images.withUnsafeBufferPointer { pixels in
            for start in stride(from: 0, to: 7, by: capacity) {
                let batch = min(capacity, 7 - start)
                let pass = vision(pixels.baseAddress! + start * size, batch: batch, workspace)
                result += embeddings(pass)
            }
        }
        return result
    }

    @Test func batchesDoNotMixImages() {
        let images = RandomVision.images(7)
        let alone = embeddings(images, capacity: 1)
        for capacity in [2, 3, 7] { #expect(largestError(embeddings(images, capacity: capacity), alone) < 1e-5) }
    }

    @Test func capturesHoldTheBatchAndChangeNothing() {
        let images = RandomVision.images(2)
        let all: CaptureRequest = [.activations, .classAttention, .mlpOutput, .mlpInput, .attentionInput]
        let workspace = VisionWorkspace(vision, capacity: 2, capturing: [CaptureRequest](repeating: all, count: 4))
        let pass = vision(images, batch: 2, workspace)
        let plain = vision(images, batch: 2, VisionWorkspace(vision, capacity: 2))
        #expect(largestError(embeddings(pass), embeddings(plain)) < 1e-5)
        let capture = pass.capture(3)
        // Attention rows are distributions.
        for row in 0..<2 * 2 {
            let sum = (0..<5).reduce(Float(0)) { $0 + capture[.classAttention][row * 5 + $1] }
            #expect(abs(sum - 1) < 1e-5)
        }
        // A pass that goes on from the captured MLP input arrives where the first one did.
        let block = vision.blocks[3]
        for i in 0..<vision.width {
            let rest = capture[.mlpInput][i] + capture[.mlpOutput][i] + block.mlpOutput.bias[i]
            #expect(abs(rest - pass.output[i]) < 1e-4)
        }
    }

    /// Of the last layer only what the class token needs is computed, unless all tokens are asked for.
    @Test(arguments: Precision.allCases) func theClassTokenAloneIsWhatItIsAmongAll(precision: Precision) {
        let (tower, images, layers) = (vision.with(precision), RandomVision.images(3), vision.blocks.count)
        func pass(_ last: CaptureRequest) -> VisionPass {
            let workspace = VisionWorkspace(
                tower, capacity: 3,
                capturing: [CaptureRequest](repeating: [], count: layers - 1) + [CaptureRequest.classToken.union(last)])
            return tower(images, batch: 3, workspace)
        }
        let (alone, among) = (pass([]), pass([.output]))
        let tolerance: Float = precision == .fp32 ? 1e-5 : 2e-2
        // With nothing captured at all, and room for more images.
        let plain = tower(images, batch: 3, VisionWorkspace(tower, capacity: 5))
        #expect(largestError(embeddings(plain), embeddings(among)) < tolerance)
        #expect(largestError(embeddings(alone), embeddings(among)) < tolerance)
        let (T, D) = (tower.tokens, tower.width)
        var difference = Float(0)
        for image in 0..<3 {
            for i in image * T * D..<image * T * D + D {
                difference = max(difference, abs(alone.output[i] - among.output[i]))
            }
        }
        #expect(difference < tolerance, "\(difference)")
        let (own, other) = (alone.capture(layers - 1), among.capture(layers - 1))
        for row in 0..<3 * tower.blocks[0].heads * T {
            #expect(abs(own[.classAttention][row] - other[.classAttention][row]) < tolerance)
        }
        for tap in [LayerTap.attentionMean, .attentionSigma] {
            for row in 0..<3 * T { #expect(own[tap][row] == other[tap][row]) }
        }
        // The other tokens have not gone through the layer.
        #expect((D..<2 * D).contains { alone.output[$0] != among.output[$0] })
    }

    /// At any place, whether tokens see what follows or not.
    @Test(arguments: [TransformerBlock.Mask.none, .causal], Precision.allCases)
    func oneTokenOfABlockIsWhatItIsAmongAll(mask: TransformerBlock.Mask, precision: Precision) {
        let (block, batch, tokens, D) = (vision.blocks[1].with(precision), 3, 5, vision.width)
        let scratch = BlockScratch(width: D, neurons: block.neurons, batch: batch, tokens: tokens)
        var random = SplitMix64(seed: 12)
        let x = (0..<batch * tokens * D).map { _ in Float(random.uniform(-2...2)) }
        let positions = [4, 0, 2]
        var (alone, among) = (x, x)
        block.advanceOneToken(
            &alone, at: { positions[$0] }, batch: batch, tokens: tokens, mask: mask, scratch: scratch, capture: nil)
        block(&among, batch: batch, tokens: tokens, mask: mask, scratch: scratch, capture: nil)
        for row in 0..<batch * tokens {
            let values = row * D..<(row + 1) * D
            if row % tokens == positions[row / tokens] {
                let error = largestError(alone[values], among[values])
                #expect(error < (precision == .fp32 ? 1e-5 : 2e-2), "token \(row): \(error)")
            } else {
                #expect(alone[values] == x[values])
            }
        }
    }

    @Test(arguments: Precision.allCases) func aTextsEndAloneIsWhatItIsAmongAllTokens(precision: Precision) throws {
        let clip = try CLIP(folder: TinyModelFolder().url).with(precision)
        for text in ["", "a", "dog a cat", "a dog and more words than the context holds"] {
            let ids = clip.tokenizer.encode([text])[0]
            let among = clip.text.everyPosition(of: ids)
            #expect(among.shape == [ids.count, clip.text.embeddingWidth])
            let error = largestError(clip.text([ids]).elements, among[row: ids.count - 1])
            #expect(error < (precision == .fp32 ? 1e-5 : 2e-2), "\(text): \(error)")
        }
    }

    /// More than run together, so that those of one length are gathered from all over the list.
    @Test func textsOfAnyLengthMatchTextsAlone() throws {
        let clip = try CLIP(folder: TinyModelFolder().url)
        let words = ["dog", "a", "cat"]
        var texts = ["", "a", "a dog and more words than the context holds", "dog"]
        for index in 0..<150 {
            texts.append((0..<index * 7 % 5).map { words[(index + $0) % 3] }.joined(separator: " "))
        }
        let together = clip.embed(texts: texts)
        for (index, text) in texts.enumerated() {
            let error = largestError(together[row: index], clip.embed(texts: [text]).elements)
            #expect(error < 1e-5, "text \(index), \(text): \(error)")
        }
    }

    @Test func classifierAveragesTemplatesAndPrefersTheFirstOfEqualClasses() throws {
        let clip = try CLIP(folder: TinyModelFolder().url)
        let classifier = ZeroShotClassifier(clip, names: ["cat", "dog"], templates: ["{}", "a {}"])
        let mean = clip.embed(texts: ["cat", "a cat"])
        let sum = (0..<6).map { Double(mean.elements[$0] + mean.elements[6 + $0]) }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(relativeError(classifier.weights[row: 0], sum.map { $0 / length }) < 1e-5)

        let equal = ZeroShotClassifier(weights: Tensor(shape: [3, 2], elements: [0, 1, 1, 0, 1, 0]))
        let answers = equal.classify([1, 0, 0, 2], batch: 2)
        #expect(try #require(answers[0]) == (1, 0))
        #expect(try #require(answers[1]) == (0, 2))
        #expect(equal.classify([1, .nan], batch: 1)[0] == nil)
    }
}
