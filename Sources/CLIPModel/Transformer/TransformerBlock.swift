import DenseMath

/// One pre-norm transformer block: x ← x + Attention(ln_1(x)); x ← x + MLP(ln_2(x)).
public struct TransformerBlock: Sendable {
    public let heads: Int
    /// ln_1, before the attention.
    public let attentionNorm: LayerNorm
    /// Query, key and value matrices, one below the other. // [3D, D]
    public let queryKeyValue: Linear
    /// W_O of all heads side by side, with the layer's b_O. // [D, D]
    public let attentionOutput: Linear
    /// ln_2, before the MLP.
    public let mlpNorm: LayerNorm
    /// // [N, D]
    public let mlpInput: Linear
    public let activation: Activation
    /// Column n is the output direction w^n of neuron n. // [D, N]
    public let mlpOutput: Linear

    public init(
        heads: Int, attentionNorm: LayerNorm, queryKeyValue: Linear, attentionOutput: Linear, mlpNorm: LayerNorm,
        mlpInput: Linear, activation: Activation, mlpOutput: Linear
    ) {
        self.heads = heads
        self.attentionNorm = attentionNorm
        self.queryKeyValue = queryKeyValue
        self.attentionOutput = attentionOutput
        self.mlpNorm = mlpNorm
        self.mlpInput = mlpInput
        self.activation = activation
        self.mlpOutput = mlpOutput
    }

    /// The block with the products of its linear layers in another precision.
    func with(_ precision: Precision) -> TransformerBlock {
        TransformerBlock(
            heads: heads, attentionNorm: attentionNorm, queryKeyValue: queryKeyValue.with(precision),
            attentionOutput: attentionOutput.with(precision), mlpNorm: mlpNorm, mlpInput: mlpInput.with(precision),
            activation: activation, mlpOutput: mlpOutput.with(precision))
    }

    /// Width D of the residual stream.
    public var width: Int { attentionNorm.width }
    /// Width d_h of a head.
    public var headWidth: Int { width / heads }
    /// Number N of neurons.
    public var neurons: Int { mlpInput.outputs }

    /// What tokens may attend to.
    public enum Mask: Sendable {
        /// Every token to every token (vision).
        case none
        /// A token to itself and those before it (text).
        case causal
    }

    /// Runs the block on `x` in place. // [batch · tokens, D]
    /// - Parameter capture: where to keep what was asked for; nil keeps nothing.
    func callAsFunction(
        _ x: UnsafeMutablePointer<Float>, batch: Int, tokens: Int, mask: Mask, scratch: BlockScratch,
        capture: LayerCapture?
    ) {
        attend(x, batch: batch, tokens: tokens, mask: mask, scratch: scratch, capture: capture)
        capture?.keepMLPInput(x)
        addMLP(to: x, rows: batch * tokens, scratch: scratch, capture: capture)
    }

    /// x ← x + MLP(ln_2(x)) // [rows, D]
    package func addMLP(
        to x: UnsafeMutablePointer<Float>, rows: Int, scratch: BlockScratch, capture: LayerCapture? = nil
    ) {
        mlpNorm(x, rows: rows, into: scratch.normalised.base, mean: scratch.mean.base, sigma: scratch.sigma.base)
        if capture?.activationsBuffer == nil, capture?.mlpOutputBuffer == nil,
            addRoundedMLP(scratch.normalised.base, to: x, rows: rows, scratch: scratch)
        {
            return
        }
        let hidden = capture?.activationsBuffer ?? scratch.hidden.base
        mlpInput(scratch.normalised.base, rows: rows, activation: activation, into: hidden)  // [rows, N]
        if let output = capture?.mlpOutputBuffer {
            mlpOutput.multiply(hidden, rows: rows, into: output)  // [rows, D]
            BLAS.add(1, output, to: x, count: rows * width)
            RowKernels.add(bias: mlpOutput.bias, to: x, rows: rows, columns: width)
        } else {
            mlpOutput(hidden, rows: rows, accumulating: true, into: x)
        }
    }

    /// Where the activations are rounded to bf16 anyway and nobody asks for them, they are written so: half as much memory.
    /// - Returns: false where they have to be kept in single precision.
    private func addRoundedMLP(
        _ normalised: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, rows: Int, scratch: BlockScratch
    ) -> Bool {
        guard mlpOutput.precision == .bf16, let input = mlpInput.packed, let output = mlpOutput.packed else {
            return false
        }
        let hidden = UnsafeMutableRawPointer(scratch.hidden.base)
        return input.multiply(normalised, rows: rows, addsBias: true, activation: activation, into: hidden, .bf16)
            && output.multiply(hidden, .bf16, rows: rows, addsBias: true, accumulating: true, into: x)
    }

    /// x ← x + W_O [softmax(q kᵀ / √d_h) v] + b_O
    private func attend(
        _ x: UnsafeMutablePointer<Float>, batch: Int, tokens: Int, mask: Mask, scratch: BlockScratch,
        capture: LayerCapture?
    ) {
        let rows = batch * tokens
        capture?.keepAttentionInput(x)
        let mean = capture?.meanBuffer ?? scratch.mean.base
        let sigma = capture?.sigmaBuffer ?? scratch.sigma.base
        attentionNorm(x, rows: rows, into: scratch.normalised.base, mean: mean, sigma: sigma)
        let projected = capture?.queryKeyValueBuffer ?? scratch.queryKeyValue.base
        queryKeyValue(scratch.normalised.base, rows: rows, into: projected)  // [rows, 3D]
        let stride = 3 * width
        let scale = 1 / Float(headWidth).squareRoot()
        for image in 0..<batch {
            let first = projected + image * tokens * stride
            for head in 0..<heads {
                let query = first + head * headWidth
                BLAS.multiply(
                    tokens, tokens, headWidth, query, stride: stride, query + width, stride: stride,
                    otherTransposed: true,
                    into: scratch.scores.base, stride: tokens)
                RowKernels.softmax(
                    scratch.scores.base, rows: tokens, columns: tokens, scale: scale, causal: mask == .causal)
                capture?.keepAttention(scratch.scores.base, image: image, head: head)
                BLAS.multiply(
                    tokens, headWidth, tokens, scratch.scores.base, stride: tokens, query + 2 * width, stride: stride,
                    into: scratch.mixed.base + image * tokens * width + head * headWidth, stride: width)
            }
        }
        attentionOutput(scratch.mixed.base, rows: rows, accumulating: true, into: x)
    }
}

/// Scratch memory of a block for batches up to a size. Belongs to one worker.
package final class BlockScratch {
    package let normalised, queryKeyValue, scores, mixed, hidden, mean, sigma: FloatBuffer

    package init(width: Int, neurons: Int, batch: Int, tokens: Int) {
        let rows = batch * tokens
        normalised = FloatBuffer(rows * width)
        queryKeyValue = FloatBuffer(rows * 3 * width)
        scores = FloatBuffer(tokens * tokens)
        mixed = FloatBuffer(rows * width)
        hidden = FloatBuffer(rows * neurons)
        mean = FloatBuffer(rows)
        sigma = FloatBuffer(rows)
    }
}
