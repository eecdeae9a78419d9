import DenseMath

/// Relevance of a sum a + b, shared out in proportion: a ∘ R/(a + b) and b ∘ R/(a + b).
///
/// Where a + b is small beside a and b, the shares are large and of opposite sign. The modified rule
/// scales both by one factor and gives each the sign of the total, so that their sums are the parts of
/// ΣR in which |Σ share_a| and |Σ share_b| divide it.
enum ResidualRelevance {
    /// - Parameters:
    ///   - relevance: R; becomes a's share. // [count]
    ///   - second: receives b's share. // [count]
    static func propagate(
        _ relevance: UnsafeMutablePointer<Float>, rule: RelevanceRule, _ a: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>, count: Int, second: UnsafeMutablePointer<Float>
    ) {
        let total = rule == .modified ? sum(relevance, count: count) : 0
        for i in 0..<count {
            let s = RelevanceRule.ratio(relevance[i], a[i] + b[i])
            relevance[i] = a[i] * s
            second[i] = b[i] * s
        }
        guard rule == .modified else { return }
        let (firstSum, secondSum) = (sum(relevance, count: count), sum(second, count: count))
        let magnitude = firstSum.magnitude + secondSum.magnitude
        let factor = Float(magnitude > 0 ? total / magnitude : 0)
        scale(relevance, by: firstSum < 0 ? -factor : factor, count: count)
        scale(second, by: secondSum < 0 ? -factor : factor, count: count)
    }

    private static func sum(_ x: UnsafePointer<Float>, count: Int) -> Double {
        var sum = 0.0
        for i in 0..<count { sum += Double(x[i]) }
        return sum
    }

    private static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        for i in 0..<count { x[i] *= factor }
    }
}
