extension AttributionMethod {
    /// The last layer's attention, heads weighted by their gradient (Selvaraju et al. 2017, applied to attention).
    public static let gradcam = AttributionMethod(
        "gradcam", title: "GradCAM", query: .label, needs: Needs(gradients: .lastLayer)
    ) { $0.gradcam($0.gradients(of: $1.label)) }
}

extension AttributionPass {
    /// GradCAM on the last layer's attention of the class token: each head weighted by the mean of its
    /// gradient over the patches, mean over the heads, negative values cut off.
    fileprivate func gradcam(_ gradients: AttentionGradients) -> HeatMap {
        let (layout, heads, last) = (vision.layout, vision.configuration.heads, vision.blocks.count - 1)
        flow.row.base.update(repeating: 0, count: layout.count)
        for head in 0..<heads {
            let row = (head * layout.count + layout.classToken) * layout.count
            let (gradient, attention) = (gradients[last] + row, record.layers[last][.attention] + row)
            var sum = Float(0)
            for j in layout.patchRows { sum += gradient[j] }
            let weight = sum / Float(layout.patches) / Float(heads)
            for j in layout.patchRows { flow.row.base[j] += weight * attention[j] }
        }
        for j in layout.patchRows { flow.row.base[j] = max(0, flow.row.base[j]) }
        return patchMap(flow.row.base)
    }
}
