/// How layers hand relevance on to their inputs (layer-wise relevance propagation with α = 1).
enum RelevanceRule {
    /// Of Chefer, Gur and Wolf (arXiv 2012.09838): linear layers and residual sums conserve the total.
    case modified
    /// Of Binder et al. (2016): linear layers share positive and negative inputs out separately.
    case original

    /// a/(b + 1e-9), and 0 where that has no value or b is nothing.
    @inline(__always)
    static func ratio(_ a: Float, _ b: Float) -> Float {
        let denominator = b + 1e-9
        // Divided before the choices, so that loops have no branches.
        let quotient = a / denominator
        let finite = denominator == 0 ? 0 : quotient
        return b == 0 ? 0 : finite
    }
}
