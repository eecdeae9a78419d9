import CLIPModel
import DenseMath

extension AttributionMethod {
    /// Direct contribution of each token through all attention heads (Gandelsman et al., arXiv 2310.05916).
    public static let textSpan = AttributionMethod(
        "textspan", title: "TextSpan (first order)", query: .label
    ) { $0.textSpan(contrast: $0.contrast(of: $1.label)) }
}

extension AttributionPass {
    /// Each patch's direct contribution through all attention heads, along the class's direction:
    /// Σ_{l,h} a_i ⟨W_O (W_V ln_1(x_i) + b_V), t⟩ with t = γ*/σ* ∘ Pᵀ·contrast, and the token's share of what is the same for
    /// all: of every layer's b_O, and of the last norm's mean and bias, which attention, MLPs and the embedding divide among
    /// themselves. Those shares decide where a map is negative.
    ///
    /// The direction is taken through W_O once a layer instead of every token.
    /// Source: Gandelsman, Efros and Steinhardt, arXiv 2310.05916, and its public implementation.
    /// - Parameter contrast: the class's weights minus the mean over all classes. // [d]
    fileprivate func textSpan(contrast: [Float]) -> HeatMap {
        let (tokens, width, d) = (vision.tokens, vision.width, vision.embeddingWidth)
        // In the residual stream, and through W_O. // [D]
        let (direction, headDirections) = (FloatBuffer(width), FloatBuffer(width))
        BLAS.multiply(
            d, width, vision.readout.projection.elements, stride: width, transposed: true, vector: contrast,
            into: direction.base)
        let (mean, sigma) = (record.pass.outputMean[0], record.pass.outputSigma[0])
        // L of the 2L + 1 parts of the residual stream are attention's.
        var shared: Float = 0
        let layersShare = Float(vision.blocks.count) / Float(2 * vision.blocks.count + 1)
        for i in 0..<width {
            shared += layersShare * vision.readout.norm.bias[i] * direction.base[i]
            direction.base[i] *= vision.readout.norm.weight[i] / sigma
            shared -= layersShare * mean * direction.base[i]
        }
        for block in vision.blocks {
            for i in 0..<width { shared += block.attentionOutput.bias[i] * direction.base[i] }
        }
        flow.row.base.update(repeating: shared / Float(tokens), count: tokens)
        for (block, layer) in zip(vision.blocks, record.layers) {
            BLAS.multiply(
                width, width, block.attentionOutput.weight.elements, stride: width, transposed: true,
                vector: direction.base, into: headDirections.base)
            for head in 0..<block.heads {
                let values = layer[.queryKeyValue] + 2 * width + head * block.headWidth
                let attention = layer.classAttention(head, vision.layout)
                let along = headDirections.base + head * block.headWidth
                for i in 0..<tokens {
                    let value = BLAS.dot(values + i * 3 * width, along, count: block.headWidth)
                    flow.row.base[i] += attention[i] * value
                }
            }
        }
        return patchMap(flow.row.base)
    }
}
