/// How a heat map is made: the rows of the segmentation table of arXiv 2406.04341.
public enum AttributionMethod: String, CaseIterable, Hashable, Sendable {
    /// Relevance of the last layer's attention (Voita et al. 2019).
    case partialLRP = "partial-lrp"
    /// Product of the layers' attention with the residual connection (Abnar and Zuidema 2020).
    case rollout
    /// Layer-wise relevance propagation to the pixels (Binder et al. 2016).
    case lrp
    /// The last layer's attention, heads weighted by their gradient (Selvaraju et al. 2017, applied to attention).
    case gradcam
    /// Gradient times relevance of every layer's attention (Chefer, Gur and Wolf, arXiv 2012.09838).
    case chefer2021 = "chefer-2021"
    /// The last layer's attention of the class token.
    case rawAttention = "raw-attention"
    /// Direct contribution of each token through all attention heads (Gandelsman et al., arXiv 2310.05916).
    case textSpan = "textspan"
    /// Activations of the neurons whose second-order effects point to the class.
    case secondOrder = "second-order"

    /// Whether the map differs between classes.
    public var usesClass: Bool { self != .rawAttention && self != .rollout }
}
