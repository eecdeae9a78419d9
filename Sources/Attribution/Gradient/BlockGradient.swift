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
    ///   - rows: leading tokens with a gradient at the block's output; at the others it is zero.
    ///   - residual: the gradient at the block's output; becomes that at its input, or where that is not
    ///     asked for, between attention and MLP. // [T, D]
    ///   - attention: receives the gradient of the attention in the first `rows` rows of each head. // [H, T, T]
    ///   - throughAttention: whether to go on to the block's input.
    func run(
        _ block: TransformerBlock, _ record: LayerRecord, rows: Int, residual: UnsafeMutablePointer<Float>,
        attention: UnsafeMutablePointer<Float>, throughAttention: Bool
    ) {
        mlp(block, record, rows: rows, residual: residual)
        let (width, headWidth) = (block.width, block.headWidth)
        BLAS.multiply(
            rows, width, width, residual, stride: width, block.attentionOutput.weight.elements, stride: width,
            into: mixed.base, stride: width)
        for head in 0..<block.heads {
            let values = record.queryKeyValue.base + 2 * width + head * headWidth
            BLAS.multiply(
                rows, tokens, headWidth, mixed.base + head * headWidth, stride: width, values, stride: 3 * width,
                otherTransposed: true, into: attention + head * tokens * tokens, stride: tokens)
        }
        guard throughAttention else { return }
        queryKeyValue.base.update(repeating: 0, count: queryKeyValue.count)
        for head in 0..<block.heads {
            self.head(head, block, record, rows: rows, attention: attention + head * tokens * tokens)
        }
        BLAS.multiply(
            tokens, width, 3 * width, queryKeyValue.base, stride: 3 * width, block.queryKeyValue.weight.elements,
            stride: width, into: normalised.base, stride: width)
        LayerNormGradient.add(
            normalised.base, through: block.attentionNorm, input: record.input.base, mean: record.attentionMean.base,
            sigma: record.attentionSigma.base, rows: tokens, to: residual, scratch: scratch.base)
    }

    /// residual ← residual + ∂(MLP ∘ ln_2)
    private func mlp(
        _ block: TransformerBlock, _ record: LayerRecord, rows: Int, residual: UnsafeMutablePointer<Float>
    ) {
        let (width, neurons) = (block.width, block.neurons)
        BLAS.multiply(
            rows, neurons, width, residual, stride: width, block.mlpOutput.weight.elements, stride: neurons,
            into: hidden.base, stride: neurons)
        ActivationGradient.apply(
            block.activation, to: hidden.base, input: record.preactivations.base, output: record.activations.base,
            count: rows * neurons)
        BLAS.multiply(
            rows, width, neurons, hidden.base, stride: neurons, block.mlpInput.weight.elements, stride: width,
            into: normalised.base, stride: width)
        LayerNormGradient.add(
            normalised.base, through: block.mlpNorm, input: record.middle.base, mean: record.mlpMean.base,
            sigma: record.mlpSigma.base, rows: rows, to: residual, scratch: scratch.base)
    }

    /// From the gradients of A and A·V to those of Q, K and V of one head.
    private func head(
        _ head: Int, _ block: TransformerBlock, _ record: LayerRecord, rows: Int,
        attention gradient: UnsafePointer<Float>
    ) {
        let (width, headWidth, stride) = (block.width, block.headWidth, 3 * block.width)
        let query = record.queryKeyValue.base + head * headWidth
        let target = queryKeyValue.base + head * headWidth
        let a = record.attention.base + head * tokens * tokens
        BLAS.multiply(
            tokens, headWidth, rows, a, stride: tokens, transposed: true, mixed.base + head * headWidth, stride: width,
            into: target + 2 * width, stride: stride)
        // Softmax: ∂scores = A ∘ (G − the row's Σ G ∘ A).
        for row in 0..<rows {
            let (g, p, s) = (gradient + row * tokens, a + row * tokens, scores.base + row * tokens)
            let mean = BLAS.dot(g, p, count: tokens)
            for j in 0..<tokens { s[j] = p[j] * (g[j] - mean) }
        }
        BLAS.multiply(
            rows, headWidth, tokens, alpha: block.scoreScale, scores.base, stride: tokens, query + width,
            stride: stride,
            into: target, stride: stride)
        BLAS.multiply(
            tokens, headWidth, rows, alpha: block.scoreScale, scores.base, stride: tokens, transposed: true,
            query, stride: stride, into: target + width, stride: stride)
    }
}
