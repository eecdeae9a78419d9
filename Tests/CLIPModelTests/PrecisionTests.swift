import CLIPModel
import DenseMath
import Foundation
import Foundations
import TestSupport
import Testing

/// Linear layers in bf16, and by either library.
@Suite struct PrecisionTests {
    /// Wide enough that roundings average out as in a real model.
    private static let configuration = VisionConfiguration(
        imageSize: 32, patchSize: 8, width: 64, layers: 4, heads: 4, mlpWidth: 256, activation: .quickGELU,
        layerNormEpsilon: 1e-5)
    private let vision = RandomVision.make(configuration, embeddingWidth: 32)
    private let images = RandomVision.images(6, of: configuration)

    private func embeddings(_ vision: VisionTransformer, capturing: CaptureRequest = []) -> [[Float]] {
        let workspace = VisionWorkspace(
            vision, capacity: 6, capturing: [CaptureRequest](repeating: capturing, count: vision.blocks.count))
        let pass = vision(images, batch: 6, workspace)
        let d = vision.embeddingWidth
        return (0..<6).map { image in (0..<d).map { pass.embeddings[image * d + $0] } }
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
        let (plain, captured) = (
            embeddings(bf16), embeddings(bf16, capturing: [.activations, .classAttention, .mlpOutput])
        )
        for (a, b) in zip(plain, captured) { #expect(cosine(a, b) > 1 - 1e-5) }
    }

    /// The product literally: rounded operands, sums in double precision, then bias and activation.
    private func literal(_ linear: Linear, _ x: [Float], rows: Int, _ activation: Activation?, from y: [Float])
        -> [Float]
    {
        func rounded(_ values: [Float]) -> [Float] {
            var result = values
            linear.precision.rounded(values, count: values.count, into: &result)
            return result
        }
        let (x, weight) = (rounded(x), rounded(linear.weight.elements))
        return (0..<rows * linear.outputs).map { place in
            let (row, output) = (place / linear.outputs, place % linear.outputs)
            let sum = (0..<linear.inputs).reduce(Double(linear.bias[output])) {
                $0 + Double(x[row * linear.inputs + $1]) * Double(weight[output * linear.inputs + $1])
            }
            return switch activation {
            case .quickGELU: Float(sum / (1 + exp(-1.702 * sum)))
            case .gelu: Float(sum / 2 * (1 + erf(sum / 2.squareRoot())))
            case nil: y[place] + Float(sum)
            }
        }
    }

    /// Either library, whichever this machine would choose.
    @Test(arguments: [LinearLibrary.openBLAS] + (LinearLibrary.oneDNN.map { [$0] } ?? []), Precision.allCases)
    func eitherLibraryGivesTheProduct(library: LinearLibrary, precision: Precision) {
        let rows = 17
        let linear = vision.blocks[1].mlpInput.with(precision).with(library)
        #expect(
            linear.library == library && linear.precision == precision
                && (linear.packed == nil) == (library == .openBLAS))
        var random = SplitMix64(seed: 5)
        let x = (0..<rows * linear.inputs).map { _ in Float(random.uniform(-1...1)) }
        let start = (0..<rows * linear.outputs).map { _ in Float(random.uniform(-1...1)) }
        for activation in [nil] + Activation.allCases.map(Optional.some) {
            // Without an activation the layer adds to what is there, as the residual stream wants it.
            var y = start
            linear(x, rows: rows, activation: activation, accumulating: activation == nil, into: &y)
            let error = largestError(y, literal(linear, x, rows: rows, activation, from: start))
            #expect(error < 1e-5, "\(library.description), \(precision), \(String(describing: activation)): \(error)")
        }
        var product = start
        linear.multiply(x, rows: rows, into: &product)
        let bias = (0..<rows).flatMap { _ in linear.bias }
        let expected = zip(literal(linear, x, rows: rows, nil, from: product.map { _ in 0 }), bias).map { $0 - $1 }
        #expect(
            largestError(product, expected) < 1e-5,
            "\(library.description), \(precision): \(largestError(product, expected))")
    }
}
