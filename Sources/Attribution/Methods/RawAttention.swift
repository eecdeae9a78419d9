import DenseMath

extension AttributionMethod {
    /// The last layer's attention of the class token.
    public static let rawAttention = AttributionMethod(
        "raw-attention", title: "raw attention", query: .nothing
    ) { pass, _ in pass.rawAttention() }
}

extension AttributionPass {
    /// The class token's attention in the last layer, mean over the heads.
    fileprivate func rawAttention() -> HeatMap {
        let (layout, heads) = (vision.layout, vision.configuration.heads)
        flow.row.base.update(repeating: 0, count: layout.count)
        if let last = record.layers.last {
            for head in 0..<heads {
                BLAS.add(
                    1 / Float(heads), last.classAttention(head, layout), to: flow.row.base, count: layout.count)
            }
        }
        return patchMap(flow.row.base)
    }
}
