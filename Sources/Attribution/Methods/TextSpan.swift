import CLIPModel
import DenseMath

extension AttributionPass {
    /// Each patch's direct contribution through all attention heads, along the class's direction:
    /// Σ_{l,h} a_i ⟨W_O (W_V ln_1(x_i) + b_V), t⟩ with t = γ*/σ* ∘ P·contrast.
    ///
    /// The direction is taken through W_O once a layer instead of every token.
    /// Source: Gandelsman, Efros and Steinhardt, arXiv 2310.05916.
    /// - Parameter contrast: the class's weights minus the mean over all classes. // [d]
    func textSpan(contrast: UnsafePointer<Float>) -> HeatMap {
        let (tokens, width, d) = (vision.tokens, vision.width, vision.embeddingWidth)
        BLAS.multiply(
            d, width, vision.projection.elements, stride: width, transposed: true, vector: contrast,
            into: direction.base)
        let sigma = record.outputSigma.base[0]
        for i in 0..<width { direction.base[i] *= vision.outputNorm.weight[i] / sigma }
        flow.row.base.update(repeating: 0, count: tokens)
        for (block, layer) in zip(vision.blocks, record.layers) {
            BLAS.multiply(
                width, width, block.attentionOutput.weight.elements, stride: width, transposed: true,
                vector: direction.base, into: headDirections.base)
            for head in 0..<block.heads {
                let values = layer.queryKeyValue.base + 2 * width + head * block.headWidth
                let attention = layer.attention.base + head * tokens * tokens
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
