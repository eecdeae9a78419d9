extension AttributionMethod {
    /// Relevance of the last layer's attention (Voita et al. 2019).
    public static let partialLRP = AttributionMethod(
        "partial-lrp", title: "partial LRP", query: .label, needs: Needs(relevance: .lastLayer)
    ) { $0.partialLRP($0.relevance(of: $1.label)) }
}

extension AttributionPass {
    /// Relevance (original rules) of the last layer's attention of the class token: negative values cut
    /// off, mean over the heads.
    ///
    /// Source: Voita et al., arXiv 1905.09418.
    fileprivate func partialLRP(_ relevance: AttentionRelevance) -> HeatMap {
        let (tokens, heads) = (vision.tokens, vision.configuration.heads)
        let last = relevance[.original, vision.blocks.count - 1]
        flow.row.base.update(repeating: 0, count: tokens)
        for head in 0..<heads {
            let row = last + (head * tokens + vision.layout.classToken) * tokens
            for j in 0..<tokens { flow.row.base[j] += max(0, row[j]) / Float(heads) }
        }
        return patchMap(flow.row.base)
    }
}
