import CLIPModel
import DenseMath

extension AttributionMethod {
    /// What the class gains from each of the last layers' attention, read out right behind the layer (Bousselham et al.,
    /// arXiv 2404.03214).
    public static let leGrad = AttributionMethod("legrad", title: "LeGrad", query: .label) { pass, query in
        let memory = pass.memory { LeGrad($0) }
        pass.flow.row.base.update(repeating: 0, count: pass.vision.tokens)
        memory.add(pass.record, weights: pass.weights(of: query.label), to: pass.flow.row.base)
        return pass.patchMap(pass.flow.row.base)
    }
}

/// Σ_l mean_{h,i} max(0, ∂s_l/∂A_l), where s_l is the cosine of the class with the mean of the tokens that leave layer l, taken
/// through ln_post and the projection as if l were the last layer. The gradient goes through layer l only.
///
/// Source: arXiv 2404.03214, and its released code, which takes the last two layers.
private final class LeGrad {
    private static let layers = 2

    private let block: BlockGradient
    /// Gradient with respect to a layer's attention. // [H, T, T]
    private let attention: FloatBuffer
    /// Gradient with respect to the tokens that leave a layer. // [T, D]
    private let residual: FloatBuffer
    /// The mean token, after ln_post, and the gradient there. // [D]
    private let token, normalised, pooled: FloatBuffer
    /// Its embedding, and the gradient there. // [d]
    private let embedding, gradient: FloatBuffer
    /// μ and σ of ln_post. // [1]
    private let mean, sigma: FloatBuffer

    init(_ vision: VisionTransformer) {
        block = BlockGradient(vision)
        attention = FloatBuffer(vision.configuration.heads * vision.tokens * vision.tokens)
        residual = FloatBuffer(vision.tokens * vision.width)
        (token, normalised, pooled) = (
            FloatBuffer(vision.width), FloatBuffer(vision.width), FloatBuffer(vision.width)
        )
        (embedding, gradient) = (FloatBuffer(vision.embeddingWidth), FloatBuffer(vision.embeddingWidth))
        (mean, sigma) = (FloatBuffer(1), FloatBuffer(1))
    }

    /// - Parameters:
    ///   - weights: the class's row of the classifier. // [d]
    ///   - row: gets the scores of all tokens added. // [T]
    func add(_ record: ForwardRecord, weights: [Float], to row: UnsafeMutablePointer<Float>) {
        let vision = record.vision
        let (tokens, heads, layers) = (vision.tokens, vision.configuration.heads, vision.blocks.count)
        for layer in max(0, layers - Self.layers)..<layers {
            readOut(record.layers[layer][.output], vision, weights: weights)
            block.run(
                vision.blocks[layer], record.layers[layer], rows: 0..<tokens, residual: residual.base,
                attention: attention.base, throughAttention: false)
            let share = 1 / Float(heads * tokens)
            for query in 0..<heads * tokens {
                for key in 0..<tokens { row[key] += share * max(0, attention.base[query * tokens + key]) }
            }
        }
    }

    /// The gradient of s_l with respect to the tokens that leave layer l: the same for all, each being a T-th of the mean.
    /// - Parameter output: those tokens. // [T, D]
    private func readOut(_ output: UnsafePointer<Float>, _ vision: VisionTransformer, weights: [Float]) {
        let (tokens, width, d) = (vision.tokens, vision.width, vision.embeddingWidth)
        token.base.update(repeating: 0, count: width)
        for i in 0..<tokens { BLAS.add(1 / Float(tokens), output + i * width, to: token.base, count: width) }
        vision.readout(
            token.base, rows: 1, normalised: normalised.base, mean: mean.base, sigma: sigma.base, into: embedding.base)
        let length = BLAS.dot(embedding.base, embedding.base, count: d).squareRoot()
        let inverse = length > 0 ? 1 / length : 0
        let cosine = BLAS.dot(embedding.base, weights, count: d) * inverse
        for j in 0..<d { gradient.base[j] = inverse * (weights[j] - cosine * inverse * embedding.base[j]) }
        BLAS.multiply(
            1, width, d, gradient.base, stride: d, vision.readout.projection.elements, stride: width, into: pooled.base,
            stride: width)
        residual.base.update(repeating: 0, count: width)
        LayerNormGradient.add(
            pooled.base, through: vision.readout.norm, input: token.base, mean: mean.base, sigma: sigma.base, rows: 1,
            to: residual.base, scratch: block.scratch.base)
        for j in 0..<width { residual.base[j] /= Float(tokens) }
        for i in 1..<tokens { (residual.base + i * width).update(from: residual.base, count: width) }
    }
}
