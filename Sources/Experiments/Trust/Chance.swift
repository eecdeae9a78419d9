import Foundation

/// Probabilities of counting successes by chance.
enum Chance {
    /// P(X ≥ k) for X binomial with n trials of probability p, summed term by term.
    static func probability(ofAtLeast k: Int, of n: Int, each p: Double) -> Double {
        guard k > 0 else { return 1 }
        guard p > 0, k <= n else { return 0 }
        guard p < 1 else { return 1 }
        // Below the count, where terms are few; logarithms keep (1−p)ⁿ from vanishing.
        var below = 0.0
        var term = Double(n) * log1p(-p)
        for i in 0..<k {
            below += exp(term)
            term += log(Double(n - i) / Double(i + 1)) + log(p) - log1p(-p)
        }
        return max(0, 1 - below)
    }
}
