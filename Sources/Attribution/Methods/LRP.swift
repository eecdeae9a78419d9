extension AttributionMethod {
    /// Layer-wise relevance propagation to the pixels (Binder et al. 2016).
    public static let lrp = AttributionMethod(
        "lrp", title: "LRP", query: .label, needs: Needs(relevance: .pixels)
    ) { $0.lrp($0.relevance(of: $1.label)) }
}

extension AttributionPass {
    /// Relevance (original rules) of the pixels, summed over the channels.
    fileprivate func lrp(_ relevance: AttentionRelevance) -> HeatMap {
        guard let pixels = relevance.pixels?.pixels.base else {
            preconditionFailure("relevance of the pixels was read but not declared")
        }
        let (size, patch, grid) = (
            vision.configuration.imageSize, vision.configuration.patchSize, vision.layout.side
        )
        let area = patch * patch
        var values = [Float](repeating: 0, count: size * size)
        for y in 0..<size {
            for x in 0..<size {
                let first = ((y / patch) * grid + x / patch) * 3 * area + (y % patch) * patch + x % patch
                values[y * size + x] = pixels[first] + pixels[first + area] + pixels[first + 2 * area]
            }
        }
        return HeatMap(side: size, values: values)
    }
}
