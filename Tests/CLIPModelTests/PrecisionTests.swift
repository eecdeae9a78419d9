import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

/// Linear layers in bf16, and by either library.
@Suite struct PrecisionTests {
    /// Wide enough that roundings average out as in a real model.
    private static let configuration = VisionConfiguration(
        imageSize: 32, patchSize: 8, width: 64, layers: 4, heads: 4, mlpWidth: 256, activation: .quickGELU, layerNormEpsilon: 1e-5)
    private let vision = RandomVision.make(configuration, embeddingWidth: 32)
    private let images = RandomVision.images(6, of: configuration)

    private func embeddings(_ vision: VisionTransformer, capturing: CaptureRequest = []) -> [[Float]] {
        let workspace = VisionWorkspace(
            vision, capacity: 6, capturing: [CaptureRequest](repeating: capturing, count: vision.blocks.count))
        vision(images, batch: 6, workspace)
        let d = vision.embeddingWidth
        return (0..<6).map { image in (0..<d).map { workspace.embeddings.base[image * d + $0] } }
    }

    private func cosine(_ a: [Float], _ b: [Float]) -> Double {
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
    }

    @Test func bf16TurnsAnEmbeddingALittleAndNotNothing() {
        let (exact, rounded) = (embeddings(vision), embeddings(vision.with(.bf16)))
        let cosines = zip(exact, rounded).map(cosine)
        #expect(exact != rounded)
        #expect((cosines.min() ?? 0) > 0.999, "\(cosines)")
    }

    @Test func whatIsCapturedChangesNoRounding() {
        // Without a capture the activations of bf16 are written rounded, with one they are rounded when they are read.
        let bf16 = vision.with(.bf16)
        let (plain, captured) = (embeddings(bf16), embeddings(bf16, capturing: [.activations, .classAttention, .mlpOutput]))
        for (a, b) in zip(plain, captured) { #expect(cosine(a, b) > 1 - 1e-5) }
    }

    @Test(.enabled(if: LinearLibrary.current != .openBLAS, "OpenBLAS is what there is"), arguments: Precision.allCases)
    func eitherLibraryGivesTheSameNumbers(precision: Precision) throws {
        let rows = 17
        let block = vision.blocks[1]
        let linear = block.mlpInput.with(precision)
        var random = SplitMix64(seed: 5)
        let x = (0..<rows * linear.inputs).map { _ in Float(random.uniform(-1...1)) }
        var fused = [Float](repeating: 0, count: rows * linear.outputs)
        linear(x, rows: rows, activation: block.activation, into: &fused)
        // The fallback, literally: rounded operands through SGEMM, bias and activation after it.
        func rounded(_ values: [Float]) -> [Float] {
            var result = values
            precision.rounded(values, count: values.count, into: &result)
            return result
        }
        var plain = [Float](repeating: 0, count: rows * linear.outputs)
        BLAS.multiply(
            rows, linear.outputs, linear.inputs, rounded(x), stride: linear.inputs, rounded(linear.weight.elements),
            stride: linear.inputs, otherTransposed: true, into: &plain, stride: linear.outputs)
        RowKernels.activate(block.activation, &plain, bias: linear.bias, rows: rows, columns: linear.outputs)
        #expect(largestError(fused, plain) < 1e-5, "\(largestError(fused, plain))")
    }
}
