import CLIPModel
import DenseMath
import Foundation

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

/// G_l = ∂logit_c/∂A_l: the gradient of one class's logit with respect to each layer's attention after
/// the softmax. Overwritten by each class and image.
final class AttentionGradients {
    /// The lowest layer whose gradient is computed.
    let lowestLayer: Int
    /// One for each layer from the lowest on. // [H, T, T]
    private let memory: [FloatBuffer]
    /// Gradient with respect to the residual stream. // [T, D]
    private let residual: FloatBuffer
    private let block: BlockGradient
    private let embedding, pooled: FloatBuffer

    init(_ vision: VisionTransformer, lowestLayer: Int) {
        self.lowestLayer = lowestLayer
        memory = vision.blocks.dropFirst(lowestLayer).map { FloatBuffer($0.heads * vision.tokens * vision.tokens) }
        residual = FloatBuffer(vision.tokens * vision.width)
        block = BlockGradient(vision)
        embedding = FloatBuffer(vision.embeddingWidth)
        pooled = FloatBuffer(vision.width)
    }

    /// G_l. // [H, T, T]
    subscript(layer: Int) -> UnsafeMutablePointer<Float> { memory[layer - lowestLayer].base }

    /// - Parameters:
    ///   - weights: the class's row of the classifier. // [d]
    ///   - scale: the factor between cosine and logit.
    func run(_ record: ForwardRecord, weights: [Float], scale: Float) {
        readOut(record, weights: weights, scale: scale)
        let vision = record.vision
        let (last, classToken) = (vision.blocks.count - 1, vision.layout.classToken..<vision.layout.classToken + 1)
        for layer in stride(from: last, through: lowestLayer, by: -1) {
            // Only the class token of the last layer is read out.
            block.run(
                vision.blocks[layer], record.layers[layer], rows: layer == last ? classToken : 0..<vision.tokens,
                residual: residual.base, attention: self[layer], throughAttention: layer > lowestLayer)
        }
    }

    /// Through ⟨r/‖r‖, w_c⟩, the projection and ln_post, to the class token of the last layer.
    private func readOut(_ record: ForwardRecord, weights: [Float], scale: Float) {
        let vision = record.vision
        let (width, d) = (vision.width, vision.embeddingWidth)
        let cosine = BLAS.dot(record.direction, weights, count: d)
        let factor = record.length > 0 ? scale / record.length : 0
        for j in 0..<d { embedding.base[j] = factor * (weights[j] - cosine * record.direction[j]) }
        BLAS.multiply(
            1, width, d, embedding.base, stride: d, vision.readout.projection.elements, stride: width,
            into: pooled.base, stride: width)
        residual.base.update(repeating: 0, count: residual.count)
        let row = vision.layout.classToken * width
        LayerNormGradient.add(
            pooled.base, through: vision.readout.norm, input: record.layers[record.layers.count - 1][.output] + row,
            mean: record.pass.outputMean, sigma: record.pass.outputSigma, rows: 1, to: residual.base + row,
            scratch: block.scratch.base)
    }
}

/// The derivative of an MLP's non-linearity from its input v and its output p.
///
/// Both have the form p = v·s(v), so that s = p/v needs no second exponential or error function.
enum ActivationGradient {
    /// gradient ← gradient ∘ activation′(v)
    static func apply(
        _ activation: Activation, to gradient: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>,
        output: UnsafePointer<Float>, count: Int
    ) {
        switch activation {
        case .quickGELU:
            // s the logistic function of 1.702 v: (v s)′ = s (1 + 1.702 v (1 − s)) = s (1 + 1.702 (v − p))
            for i in 0..<count {
                let (v, p) = (input[i], output[i])
                let share = v == 0 ? 0.5 : p / v
                gradient[i] *= share * (1 + 1.702 * (v - p))
            }
        case .gelu:
            // s = Φ(v): (v Φ)′ = Φ + v φ(v)
            let density = 1 / (2 * Float.pi).squareRoot()
            for i in 0..<count {
                let (v, p) = (input[i], output[i])
                let share = v == 0 ? 0.5 : p / v
                gradient[i] *= share + v * density * exp(-0.5 * v * v)
            }
        }
    }
}

/// The gradient of a layer norm. With x̂ = (x − μ)/σ and g = γ ∘ ∂y:
///
///     ∂x = ( g − mean(g) − x̂ · mean(g ∘ x̂) ) / σ
enum LayerNormGradient {
    /// Adds ∂x to `target`.
    /// - Parameters:
    ///   - gradient: ∂y. // [rows, D]
    ///   - input: x. // [rows, D]
    ///   - scratch: // [2 D]
    static func add(
        _ gradient: UnsafePointer<Float>, through norm: LayerNorm, input: UnsafePointer<Float>,
        mean: UnsafePointer<Float>, sigma: UnsafePointer<Float>, rows: Int, to target: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let width = norm.width
        let (scaled, standardised) = (scratch, scratch + width)
        norm.weight.withUnsafeBufferPointer { gamma in
            for row in 0..<rows {
                let (dy, x, dx) = (gradient + row * width, input + row * width, target + row * width)
                let inverse = 1 / sigma[row]
                for j in 0..<width {
                    scaled[j] = gamma[j] * dy[j]
                    standardised[j] = (x[j] - mean[row]) * inverse
                }
                var sum = Float(0)
                for j in 0..<width { sum += scaled[j] }
                let average = sum / Float(width)
                let slope = BLAS.dot(scaled, standardised, count: width) / Float(width)
                for j in 0..<width { dx[j] += (scaled[j] - average - standardised[j] * slope) * inverse }
            }
        }
    }
}
