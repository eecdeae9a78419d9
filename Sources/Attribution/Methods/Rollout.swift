import DenseMath

extension AttributionMethod {
    /// Product of the layers' attention with the residual connection (Abnar and Zuidema 2020).
    public static let rollout = AttributionMethod(
        "rollout", title: "rollout", query: .nothing
    ) { pass, _ in pass.rollout() }
}

extension AttributionPass {
    /// Attention rollout: Ā_l = mean_h A_l + 1 with rows scaled to sum one; the class token's row of Ā_{L−1} … Ā_1.
    ///
    /// Source: Abnar and Zuidema, arXiv 2005.00928; layer 0 is left out as in the evaluation of arXiv 2012.09838.
    fileprivate func rollout() -> HeatMap {
        let (tokens, heads) = (vision.tokens, vision.configuration.heads)
        flow.start()
        for layer in record.layers.dropFirst().reversed() {
            flow.average(layer[.attention], count: heads)
            for i in 0..<tokens {
                var sum = Float(1)
                for j in 0..<tokens { sum += flow.matrix.base[i * tokens + j] }
                // Dividing a row of the matrix is dividing what the product takes from it.
                flow.row.base[i] /= sum
            }
            flow.step()
        }
        return patchMap(flow.row.base)
    }
}
