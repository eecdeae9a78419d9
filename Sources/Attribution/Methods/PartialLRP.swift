extension AttributionPass {
    /// Relevance (original rules) of the last layer's attention of the class token: negative values cut
    /// off, mean over the heads.
    ///
    /// Source: Voita et al., arXiv 1905.09418.
    func partialLRP(_ relevance: AttentionRelevance) -> HeatMap {
        let (tokens, heads) = (vision.tokens, vision.configuration.heads)
        let last = relevance[.original, vision.blocks.count - 1]
        flow.row.base.update(repeating: 0, count: tokens)
        for head in 0..<heads {
            for j in 0..<tokens { flow.row.base[j] += max(0, last[head * tokens * tokens + j]) / Float(heads) }
        }
        return patchMap(flow.row.base)
    }
}
