extension AttributionMethod {
    /// Gradient times relevance of every layer's attention (Chefer, Gur and Wolf, arXiv 2012.09838).
    public static let chefer2021 = AttributionMethod(
        "chefer-2021", title: "Chefer et al. 2021", query: .label,
        needs: Needs(gradients: .secondLayer, modifiedRelevance: .secondLayer)
    ) { $0.chefer2021($0.gradients(of: $1.label), $0.relevance(of: $1.label)) }
}

extension AttributionPass {
    /// Ā_l = 1 + mean_h max(0, G_l ∘ Rel_l), Rel by the modified rules; the class token's row of Ā_{L−1} … Ā_1.
    ///
    /// Source: Chefer, Gur and Wolf, arXiv 2012.09838, equations 13 and 14.
    fileprivate func chefer2021(_ gradients: AttentionGradients, _ relevance: AttentionRelevance) -> HeatMap {
        let (heads, size) = (vision.configuration.heads, vision.tokens * vision.tokens)
        flow.start()
        for layer in stride(from: vision.blocks.count - 1, through: 1, by: -1) {
            let (g, r) = (gradients[layer], relevance[.modified, layer])
            let matrix = flow.matrix.base
            matrix.update(repeating: 0, count: size)
            for head in 0..<heads {
                for i in 0..<size { matrix[i] += max(0, g[head * size + i] * r[head * size + i]) }
            }
            for i in 0..<size { matrix[i] /= Float(heads) }
            flow.step()
        }
        return patchMap(flow.row.base)
    }
}
