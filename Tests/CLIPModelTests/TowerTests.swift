import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

/// Properties of the towers that do not need a reference: batching, captures, text lengths.
@Suite struct TowerTests {
    let vision = RandomVision.make()

    func embeddings(_ images: [UInt8], capacity: Int) -> [Float] {
        let size = images.count / 7
        let workspace = VisionWorkspace(vision, capacity: capacity)
        var result: [Float] = []
        images.withUnsafeBufferPointer { pixels in
            for start in stride(from: 0, to: 7, by: capacity) {
                let batch = min(capacity, 7 - start)
                vision(pixels.baseAddress! + start * size, batch: batch, workspace)
                result += workspace.embeddings.elements.prefix(batch * vision.embeddingWidth)
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
        vision(images, batch: 2, workspace)
        let plain = VisionWorkspace(vision, capacity: 2)
        vision(images, batch: 2, plain)
        #expect(largestError(workspace.embeddings.elements, plain.embeddings.elements) < 1e-5)
        let capture = workspace.capture(3)
        // Attention rows are distributions.
        for row in 0..<2 * 2 {
            let sum = (0..<5).reduce(Float(0)) { $0 + capture[.classAttention][row * 5 + $1] }
            #expect(abs(sum - 1) < 1e-5)
        }
        // A pass that goes on from the captured MLP input arrives where the first one did.
        let block = vision.blocks[3]
        for i in 0..<vision.width {
            let rest = capture[.mlpInput][i] + capture[.mlpOutput][i] + block.mlpOutput.bias[i]
            #expect(abs(rest - workspace.x.base[i]) < 1e-4)
        }
    }

    /// Of the last layer only what the class token needs is computed, unless all tokens are asked for.
    @Test(arguments: Precision.allCases) func theClassTokenAloneIsWhatItIsAmongAll(precision: Precision) {
        let (tower, images, layers) = (vision.with(precision), RandomVision.images(3), vision.blocks.count)
        func pass(_ last: CaptureRequest) -> VisionWorkspace {
            let workspace = VisionWorkspace(
                tower, capacity: 3,
                capturing: [CaptureRequest](repeating: [], count: layers - 1) + [CaptureRequest.classToken.union(last)])
            tower(images, batch: 3, workspace)
            return workspace
        }
        let (alone, among) = (pass([]), pass([.output]))
        let tolerance: Float = precision == .fp32 ? 1e-5 : 2e-2
        // With nothing captured at all, and room for more images.
        let plain = VisionWorkspace(tower, capacity: 5)
        tower(images, batch: 3, plain)
        #expect(
            largestError(plain.embeddings.elements.prefix(3 * tower.embeddingWidth), among.embeddings.elements)
                < tolerance)
        #expect(largestError(alone.embeddings.elements, among.embeddings.elements) < tolerance)
        let (T, D) = (tower.tokens, tower.width)
        var difference = Float(0)
        for image in 0..<3 {
            for i in image * T * D..<image * T * D + D {
                difference = max(difference, abs(alone.x.base[i] - among.x.base[i]))
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
        #expect(alone.x.elements[D..<2 * D] != among.x.elements[D..<2 * D])
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
