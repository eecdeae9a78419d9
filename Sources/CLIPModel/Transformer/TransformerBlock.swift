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

    /// The products of one head, over so many tokens.
    package func head(tokens: Int) -> AttentionHead { AttentionHead(tokens: tokens, width: headWidth) }

    /// Runs the block on `x` in place. // [batch · tokens, D]
    /// - Parameter capture: where to keep what was asked for; nil keeps nothing.
    func callAsFunction(
        _ x: UnsafeMutablePointer<Float>, batch: Int, tokens: Int, mask: Mask, scratch: BlockScratch,
        capture: LayerCapture?
    ) {
        attend(x, batch: batch, tokens: tokens, mask: mask, scratch: scratch, capture: capture)
        addMLP(to: x, rows: batch * tokens, scratch: scratch, capture: capture)
        capture?.keep(.output, x, count: batch * tokens * width)
    }

    /// x ← x + W_O [softmax(q kᵀ / √d_h) v] + b_O
    private func attend(
        _ x: UnsafeMutablePointer<Float>, batch: Int, tokens: Int, mask: Mask, scratch: BlockScratch,
        capture: LayerCapture?
    ) {
        let (rows, stride, head) = (batch * tokens, 3 * width, head(tokens: tokens))
        let projected = project(x, rows: rows, scratch: scratch, capture: capture)
        let (mixed, attention) = (capture?.buffer(.mixed) ?? scratch.mixed.base, capture?.buffer(.attention))
        for image in 0..<batch {
            for index in 0..<heads {
                let query = projected + image * tokens * stride + index * headWidth
                let scores = attention.map { $0 + (image * heads + index) * tokens * tokens } ?? scratch.scores.base
                head.compare(query, query + width, stride: stride, mask: mask, into: scores)
                capture?.keepClassAttention(of: scores, amongAll: true, image: image, head: index)
                head.mix(
                    query + 2 * width, stride: stride, by: scores,
                    into: mixed + image * tokens * width + index * headWidth, mixedStride: width)
            }
        }
        add(attentionOutput, of: mixed, to: x, rows: rows, branch: capture?.buffer(.attentionBranch))
    }

    /// Queries, keys and values of ln_1(x). // [rows, D] → [rows, 3D]
    private func project(
        _ x: UnsafePointer<Float>, rows: Int, scratch: BlockScratch, capture: LayerCapture?
    ) -> UnsafeMutablePointer<Float> {
        capture?.keep(.attentionInput, x, count: rows * width)
        let normalised = capture?.buffer(.attentionNormalised) ?? scratch.normalised.base
        attentionNorm(
            x, rows: rows, into: normalised, mean: capture?.buffer(.attentionMean) ?? scratch.mean.base,
            sigma: capture?.buffer(.attentionSigma) ?? scratch.sigma.base)
        let projected = capture?.buffer(.queryKeyValue) ?? scratch.queryKeyValue.base
        queryKeyValue(normalised, rows: rows, into: projected)
        return projected
    }

    /// x ← x + MLP(ln_2(x)) // [rows, D]
    package func addMLP(
        to x: UnsafeMutablePointer<Float>, rows: Int, scratch: BlockScratch, capture: LayerCapture? = nil
    ) {
        capture?.keep(.mlpInput, x, count: rows * width)
        let normalised = capture?.buffer(.mlpNormalised) ?? scratch.normalised.base
        mlpNorm(
            x, rows: rows, into: normalised, mean: capture?.buffer(.mlpMean) ?? scratch.mean.base,
            sigma: capture?.buffer(.mlpSigma) ?? scratch.sigma.base)
        if capture?.isOfMLP != true, addRoundedMLP(normalised, to: x, rows: rows, scratch: scratch) { return }
        let hidden = capture?.buffer(.activations) ?? scratch.hidden.base  // [rows, N]
        if let inputs = capture?.buffer(.preactivations) {
            mlpInput.multiply(normalised, rows: rows, into: inputs)
            hidden.update(from: inputs, count: rows * neurons)
            RowKernels.add(bias: mlpInput.bias, to: inputs, rows: rows, columns: neurons)
            RowKernels.activate(activation, hidden, bias: mlpInput.bias, rows: rows, columns: neurons)
        } else {
            mlpInput(normalised, rows: rows, activation: activation, into: hidden)
        }
        if let output = capture?.buffer(.mlpOutput) {
            mlpOutput.multiply(hidden, rows: rows, into: output)  // [rows, D]
            BLAS.add(1, output, to: x, count: rows * width)
            RowKernels.add(bias: mlpOutput.bias, to: x, rows: rows, columns: width)
        } else {
            add(mlpOutput, of: hidden, to: x, rows: rows, branch: capture?.buffer(.mlpBranch))
        }
    }

    /// x ← x + y Wᵀ + b
    /// - Parameter branch: keeps what is added, where it was asked for. // [rows, D]
    private func add(
        _ linear: Linear, of y: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, rows: Int,
        branch: UnsafeMutablePointer<Float>?
    ) {
        guard let branch else { return linear(y, rows: rows, accumulating: true, into: x) }
        linear(y, rows: rows, into: branch)
        BLAS.add(1, branch, to: x, count: rows * width)
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
}

extension TransformerBlock {
    /// Runs the block for one token of each image or text alone; the others' rows of `x` stay what they were.
    ///
    /// Of the last block of a tower that is read at one token, this is all that anybody sees: keys and values of all
    /// tokens, but one row of attention, of W_O and of the MLP. // x [batch · tokens, D]
    /// - Parameters:
    ///   - position: of that token, by image or text.
    ///   - capture: of ``CaptureRequest/classToken`` at most.
    func advanceOneToken(
        _ x: UnsafeMutablePointer<Float>, at position: (Int) -> Int, batch: Int, tokens: Int, mask: Mask,
        scratch: BlockScratch, capture: LayerCapture?
    ) {
        precondition(capture?.isOfClassToken ?? true, "other tokens than one do not go through the block")
        let projected = project(x, rows: batch * tokens, scratch: scratch, capture: capture)
        let (stride, scores, scale) = (3 * width, scratch.scores.base, head(tokens: tokens).scale)
        for index in 0..<batch {
            let token = position(index)
            let visible = mask == .causal ? token + 1 : tokens
            for head in 0..<heads {
                let first = projected + index * tokens * stride + head * headWidth
                BLAS.multiply(
                    visible, headWidth, first + width, stride: stride, vector: first + token * stride, into: scores)
                RowKernels.softmax(scores, rows: 1, columns: visible, scale: scale, causal: false)
                capture?.keepClassAttention(of: scores, amongAll: false, image: index, head: head)
                BLAS.multiply(
                    visible, headWidth, first + 2 * width, stride: stride, transposed: true, vector: scores,
                    into: scratch.mixed.base + index * width + head * headWidth)
            }
        }
        // Queries, keys and values have been used. // [batch, D]
        let chosen = projected
        func row(_ index: Int) -> UnsafeMutablePointer<Float> { x + (index * tokens + position(index)) * width }
        for index in 0..<batch { (chosen + index * width).update(from: row(index), count: width) }
        attentionOutput(scratch.mixed.base, rows: batch, accumulating: true, into: chosen)
        addMLP(to: chosen, rows: batch, scratch: scratch)
        for index in 0..<batch { row(index).update(from: chosen + index * width, count: width) }
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

/// The two products of one attention head, over the tokens of one image or text.
package struct AttentionHead {
    package let tokens: Int
    /// Width d_h of a query, key or value.
    package let width: Int
    /// c = d_h^(−½), the factor of the scores.
    package let scale: Float

    package init(tokens: Int, width: Int) {
        (self.tokens, self.width) = (tokens, width)
        scale = 1 / Float(width).squareRoot()
    }

    /// scores ← softmax(scale · (a bᵀ + offset)), by rows, with c for the scale unless another is given.
    /// // a, b [T, d_h], offset and scores [T, T]
    package func compare(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, stride: Int, scale: Float? = nil,
        offset: UnsafePointer<Float>? = nil, mask: TransformerBlock.Mask = .none,
        into scores: UnsafeMutablePointer<Float>
    ) {
        BLAS.multiply(
            tokens, tokens, width, a, stride: stride, b, stride: stride, otherTransposed: true, into: scores,
            stride: tokens)
        if let offset { BLAS.add(1, offset, to: scores, count: tokens * tokens) }
        RowKernels.softmax(scores, rows: tokens, columns: tokens, scale: scale ?? self.scale, causal: mask == .causal)
    }

    /// mixed ← share · scores v, or that added to it. // [T, d_h]
    package func mix(
        _ values: UnsafePointer<Float>, stride: Int, by scores: UnsafePointer<Float>, share: Float = 1,
        accumulating: Bool = false, into mixed: UnsafeMutablePointer<Float>, mixedStride: Int
    ) {
        BLAS.multiply(
            tokens, width, tokens, alpha: share, scores, stride: tokens, values, stride: stride,
            beta: accumulating ? 1 : 0, into: mixed, stride: mixedStride)
    }
}
