import CLIPModel
import DenseMath

/// Relevance through position embedding and patch convolution to the normalised pixels.
///
/// The convolution has the z^B rule: with L and H the smallest and the largest pixel of the image,
/// Z = x Wᵀ − L W⁺ᵀ − H W⁻ᵀ, S = R/Z, R_in = x ∘ (S W) − L (S W⁺) − H (S W⁻). Written with x − L ≥ 0 and
/// x − H ≤ 0, as here, every term has the sign of S and nothing cancels, also in an image of one colour.
final class PixelRelevance {
    /// Of the normalised pixels by patch, channel first inside a patch. // [patches, 3 · patch · patch]
    let pixels: FloatBuffer
    /// Of class embedding and embedded patches, without the positions' share. // [T, D]
    let embedded: FloatBuffer
    /// Of the position embedding. // [T, D]
    let positions: FloatBuffer
    /// Class embedding and embedded patches. // [T, D]
    private let placed: FloatBuffer
    private let weights: SignedWeights
    private let aboveSmallest, belowLargest, result: FloatBuffer
    private let output: FloatBuffer

    init(_ vision: VisionTransformer, weights: SignedWeights) {
        let count = vision.layout.patches * vision.patchEmbedding.inputs
        self.weights = weights
        pixels = FloatBuffer(count)
        (aboveSmallest, belowLargest, result) = (FloatBuffer(count), FloatBuffer(count), FloatBuffer(count))
        embedded = FloatBuffer(vision.tokens * vision.width)
        placed = FloatBuffer(vision.tokens * vision.width)
        positions = FloatBuffer(vision.tokens * vision.width)
        output = FloatBuffer(vision.layout.patches * vision.width)
    }

    /// - Parameter relevance: of the residual stream before the first layer; ln_pre hands it on. // [T, D]
    func propagate(_ relevance: UnsafePointer<Float>, rule: RelevanceRule, _ record: ForwardRecord) {
        let vision = record.vision
        embedded.base.update(from: relevance, count: embedded.count)
        vision.placeTokens(record.pass, into: placed.base)
        ResidualRelevance.propagate(
            embedded.base, rule: rule, placed.base, vision.positionEmbedding.elements, count: embedded.count,
            second: positions.base)
        let (rows, width, length) = (vision.layout.patches, vision.width, vision.patchEmbedding.inputs)
        shift(record.pass.patches)
        weights.split(vision.patchEmbedding.weight.elements, count: width * length)
        BLAS.multiply(
            rows, width, length, aboveSmallest.base, stride: length, weights.positive.base, stride: length,
            otherTransposed: true, into: output.base, stride: width)
        BLAS.multiply(
            rows, width, length, belowLargest.base, stride: length, weights.negative.base, stride: length,
            otherTransposed: true, beta: 1, into: output.base, stride: width)
        let patches = embedded.base + vision.layout.prefix * width
        for i in 0..<rows * width { output.base[i] = RelevanceRule.ratio(patches[i], output.base[i]) }
        BLAS.multiply(
            rows, length, width, output.base, stride: width, weights.positive.base, stride: length, into: pixels.base,
            stride: length)
        BLAS.multiply(
            rows, length, width, output.base, stride: width, weights.negative.base, stride: length, into: result.base,
            stride: length)
        for i in 0..<pixels.count {
            pixels.base[i] = aboveSmallest.base[i] * pixels.base[i] + belowLargest.base[i] * result.base[i]
        }
    }

    /// x − L and x − H.
    private func shift(_ x: UnsafePointer<Float>) {
        var (smallest, largest) = (Float.infinity, -Float.infinity)
        for i in 0..<pixels.count {
            smallest = min(smallest, x[i])
            largest = max(largest, x[i])
        }
        for i in 0..<pixels.count {
            aboveSmallest.base[i] = x[i] - smallest
            belowLargest.base[i] = x[i] - largest
        }
    }
}
