import CLIPModel
import DenseMath

/// What one block computed for one image: the operands of every product, sum and non-linearity, from
/// which gradients and relevance are propagated backwards.
final class LayerRecord {
    /// x, the residual stream that enters. // [T, D]
    let input: FloatBuffer
    /// μ, σ of ln_1. // [T]
    let attentionMean, attentionSigma: FloatBuffer
    /// ln_1(x). // [T, D]
    let attentionNormalised: FloatBuffer
    /// Queries, keys and values side by side, with their biases. // [T, 3D]
    let queryKeyValue: FloatBuffer
    /// A, after the softmax. // [H, T, T]
    let attention: FloatBuffer
    /// A·V of all heads side by side. // [T, D]
    let mixed: FloatBuffer
    /// What the attention adds to the residual stream, with b_O. // [T, D]
    let attentionBranch: FloatBuffer
    /// The residual stream between attention and MLP. // [T, D]
    let middle: FloatBuffer
    /// μ, σ of ln_2. // [T]
    let mlpMean, mlpSigma: FloatBuffer
    /// ln_2 of `middle`. // [T, D]
    let mlpNormalised: FloatBuffer
    /// What enters the non-linearity. // [T, N]
    let preactivations: FloatBuffer
    /// p, what leaves it. // [T, N]
    let activations: FloatBuffer
    /// What the MLP adds to the residual stream, with its bias. // [T, D]
    let mlpBranch: FloatBuffer

    init(_ block: TransformerBlock, tokens: Int) {
        let residual = tokens * block.width
        input = FloatBuffer(residual)
        (attentionMean, attentionSigma) = (FloatBuffer(tokens), FloatBuffer(tokens))
        attentionNormalised = FloatBuffer(residual)
        queryKeyValue = FloatBuffer(3 * residual)
        attention = FloatBuffer(block.heads * tokens * tokens)
        mixed = FloatBuffer(residual)
        attentionBranch = FloatBuffer(residual)
        middle = FloatBuffer(residual)
        (mlpMean, mlpSigma) = (FloatBuffer(tokens), FloatBuffer(tokens))
        mlpNormalised = FloatBuffer(residual)
        preactivations = FloatBuffer(tokens * block.neurons)
        activations = FloatBuffer(tokens * block.neurons)
        mlpBranch = FloatBuffer(residual)
    }

    /// Runs the block on `input` and keeps every step.
    /// - Parameter output: the residual stream that leaves. // [T, D]
    func run(_ block: TransformerBlock, tokens: Int, into output: UnsafeMutablePointer<Float>) {
        attend(block, tokens: tokens)
        block.mlpNorm(
            middle.base, rows: tokens, into: mlpNormalised.base, mean: mlpMean.base, sigma: mlpSigma.base)
        block.mlpInput.multiply(mlpNormalised.base, rows: tokens, into: preactivations.base)
        activations.base.update(from: preactivations.base, count: activations.count)
        RowKernels.add(bias: block.mlpInput.bias, to: preactivations.base, rows: tokens, columns: block.neurons)
        RowKernels.activate(
            block.activation, activations.base, bias: block.mlpInput.bias, rows: tokens, columns: block.neurons)
        block.mlpOutput(activations.base, rows: tokens, into: mlpBranch.base)
        output.update(from: middle.base, count: middle.count)
        BLAS.add(1, mlpBranch.base, to: output, count: middle.count)
    }

    private func attend(_ block: TransformerBlock, tokens: Int) {
        let (width, headWidth, stride) = (block.width, block.headWidth, 3 * block.width)
        block.attentionNorm(
            input.base, rows: tokens, into: attentionNormalised.base, mean: attentionMean.base,
            sigma: attentionSigma.base)
        block.queryKeyValue(attentionNormalised.base, rows: tokens, into: queryKeyValue.base)
        for head in 0..<block.heads {
            let query = queryKeyValue.base + head * headWidth
            let scores = attention.base + head * tokens * tokens
            BLAS.multiply(
                tokens, tokens, headWidth, query, stride: stride, query + width, stride: stride, otherTransposed: true,
                into: scores, stride: tokens)
            RowKernels.softmax(
                scores, rows: tokens, columns: tokens, scale: block.scoreScale, causal: false)
            BLAS.multiply(
                tokens, headWidth, tokens, scores, stride: tokens, query + 2 * width, stride: stride,
                into: mixed.base + head * headWidth, stride: width)
        }
        block.attentionOutput(mixed.base, rows: tokens, into: attentionBranch.base)
        middle.base.update(from: input.base, count: input.count)
        BLAS.add(1, attentionBranch.base, to: middle.base, count: input.count)
    }
}

extension TransformerBlock {
    /// 1/√d_h, the factor of the attention's scores.
    var scoreScale: Float { 1 / Float(headWidth).squareRoot() }
}
