import CLIPModel
import DenseMath

/// The backward pass of one block for one image, with its scratch memory.
final class BlockGradient {
    private let tokens: Int
    private let hidden, normalised, mixed, queryKeyValue, scores: FloatBuffer
    /// // [2 D]
    let scratch: FloatBuffer

    init(_ vision: VisionTransformer) {
        tokens = vision.tokens
        hidden = FloatBuffer(tokens * vision.configuration.mlpWidth)
        normalised = FloatBuffer(tokens * vision.width)
        mixed = FloatBuffer(tokens * vision.width)
        queryKeyValue = FloatBuffer(3 * tokens * vision.width)
        scores = FloatBuffer(tokens * tokens)
        scratch = FloatBuffer(2 * vision.width)
    }

    /// - Parameters:
    ///   - rows: tokens with a gradient at the block's output; at the others it is zero.
    ///   - residual: the gradient at the block's output; becomes that at its input, or where that is not
    ///     asked for, between attention and MLP. // [T, D]
    ///   - attention: receives the gradient of the attention in these rows of each head. // [H, T, T]
    ///   - throughAttention: whether to go on to the block's input.
    func run(
        _ block: TransformerBlock, _ record: LayerCapture, rows: Range<Int>, residual: UnsafeMutablePointer<Float>,
        attention: UnsafeMutablePointer<Float>, throughAttention: Bool
    ) {
        let (width, headWidth) = (block.width, block.headWidth)
        mlp(block, record, rows: rows, residual: residual + rows.lowerBound * width)
        BLAS.multiply(
            rows.count, width, width, residual + rows.lowerBound * width, stride: width,
            block.attentionOutput.weight.elements, stride: width, into: mixed.base, stride: width)
        for head in 0..<block.heads {
            let values = record[.queryKeyValue] + 2 * width + head * headWidth
            BLAS.multiply(
                rows.count, tokens, headWidth, mixed.base + head * headWidth, stride: width, values, stride: 3 * width,
                otherTransposed: true, into: attention + (head * tokens + rows.lowerBound) * tokens, stride: tokens)
        }
        guard throughAttention else { return }
        queryKeyValue.base.update(repeating: 0, count: queryKeyValue.count)
        for head in 0..<block.heads { self.head(head, block, record, rows: rows, attention: attention) }
        BLAS.multiply(
            tokens, width, 3 * width, queryKeyValue.base, stride: 3 * width, block.queryKeyValue.weight.elements,
            stride: width, into: normalised.base, stride: width)
        LayerNormGradient.add(
            normalised.base, through: block.attentionNorm, input: record[.attentionInput],
            mean: record[.attentionMean], sigma: record[.attentionSigma], rows: tokens, to: residual,
            scratch: scratch.base)
    }

    /// residual ← residual + ∂(MLP ∘ ln_2) // [rows, D]
    private func mlp(
        _ block: TransformerBlock, _ record: LayerCapture, rows: Range<Int>, residual: UnsafeMutablePointer<Float>
    ) {
        let (width, neurons, first) = (block.width, block.neurons, rows.lowerBound)
        BLAS.multiply(
            rows.count, neurons, width, residual, stride: width, block.mlpOutput.weight.elements, stride: neurons,
            into: hidden.base, stride: neurons)
        ActivationGradient.apply(
            block.activation, to: hidden.base, input: record[.preactivations] + first * neurons,
            output: record[.activations] + first * neurons, count: rows.count * neurons)
        BLAS.multiply(
            rows.count, width, neurons, hidden.base, stride: neurons, block.mlpInput.weight.elements, stride: width,
            into: normalised.base, stride: width)
        LayerNormGradient.add(
            normalised.base, through: block.mlpNorm, input: record[.mlpInput] + first * width,
            mean: record[.mlpMean] + first, sigma: record[.mlpSigma] + first, rows: rows.count, to: residual,
            scratch: scratch.base)
    }

    /// From the gradients of A and A·V to those of Q, K and V of one head.
    private func head(
        _ head: Int, _ block: TransformerBlock, _ record: LayerCapture, rows: Range<Int>,
        attention: UnsafePointer<Float>
    ) {
        let (width, headWidth, stride, scale) = (
            block.width, block.headWidth, 3 * block.width, block.head(tokens: tokens).scale
        )
        let keys = record[.queryKeyValue] + width + head * headWidth
        let queries = keys - width + rows.lowerBound * stride
        let target = queryKeyValue.base + head * headWidth
        let start = (head * tokens + rows.lowerBound) * tokens
        let (a, gradient) = (record[.attention] + start, attention + start)
        BLAS.multiply(
            tokens, headWidth, rows.count, a, stride: tokens, transposed: true, mixed.base + head * headWidth,
            stride: width,
            into: target + 2 * width, stride: stride)
        // Softmax: ∂scores = A ∘ (G − the row's Σ G ∘ A).
        for row in 0..<rows.count {
            let (g, p, s) = (gradient + row * tokens, a + row * tokens, scores.base + row * tokens)
            let mean = BLAS.dot(g, p, count: tokens)
            for j in 0..<tokens { s[j] = p[j] * (g[j] - mean) }
        }
        BLAS.multiply(
            rows.count, headWidth, tokens, alpha: scale, scores.base, stride: tokens, keys, stride: stride,
            into: target + rows.lowerBound * stride, stride: stride)
        BLAS.multiply(
            tokens, headWidth, rows.count, alpha: scale, scores.base, stride: tokens, transposed: true, queries,
            stride: stride, into: target + width, stride: stride)
    }
}
