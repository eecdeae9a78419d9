import Foundation
import Pipeline

/// Whether two numbers of the same images differ by chance.
public struct PairedTest: Sendable, Equatable {
    public enum Method: Sendable, Equatable {
        /// Exact, of two accuracies: the images on which only one of the two is right.
        case mcNemar(onlyBase: Int, onlyHead: Int)
        /// By bootstrap of what images add to the numbers, with the same images drawn for both.
        case bootstrap(PairedDifference)
    }

    public let method: Method
    public let probability: Double
    /// By Holm, for all tests of the comparison.
    public var corrected: Double

    private init(_ method: Method, _ probability: Double) {
        (self.method, self.probability, corrected) = (method, probability, probability)
    }

    /// - Returns: nil where the numbers are not of the same images, or nothing is stored of single images.
    init?(_ base: Metric, _ baseSets: [PredictionSet], _ head: Metric, _ headSets: [PredictionSet]) {
        if let first = baseSets.lazy.compactMap({ $0.answers(behind: base) }).first,
            let second = headSets.lazy.compactMap({ $0.answers(behind: head) }).first
        {
            self.init(first, second)
        } else if let first = base.terms, let second = head.terms {
            self.init(first, second)
        } else {
            return nil
        }
    }

    private init?(_ base: [String: Bool], _ head: [String: Bool]) {
        guard base.count == head.count else { return nil }
        var (onlyBase, onlyHead) = (0, 0)
        for (image, isRight) in base {
            guard let other = head[image] else { return nil }
            onlyBase += isRight && !other ? 1 : 0
            onlyHead += other && !isRight ? 1 : 0
        }
        self.init(
            .mcNemar(onlyBase: onlyBase, onlyHead: onlyHead),
            McNemar.probability(onlyFirst: onlyBase, onlySecond: onlyHead))
    }

    private init?(_ base: ImageTerms, _ head: ImageTerms) {
        guard let difference = Bootstrap().difference(base, head) else { return nil }
        self.init(.bootstrap(difference), difference.probability)
    }
}

/// McNemar's exact test of two classifiers on the same images.
public enum McNemar {
    /// The probability, if both are right equally often, that the images on which only one of them is right are split
    /// so unevenly or more: twice the smaller tail of a binomial distribution with ½, at most 1.
    /// - Parameters:
    ///   - onlyFirst: images on which only the first is right.
    ///   - onlySecond: images on which only the second is right.
    /// - Precondition: neither is negative.
    public static func probability(onlyFirst: Int, onlySecond: Int) -> Double {
        precondition(onlyFirst >= 0 && onlySecond >= 0, "numbers of images")
        let n = onlyFirst + onlySecond
        guard n > 0 else { return 1 }
        // C(n, k) / 2ⁿ in logarithms: 2⁻ⁿ is zero in floating point from about a thousand images on.
        let common = lgamma(Double(n) + 1) - Double(n) * log(2)
        let tail = (0...min(onlyFirst, onlySecond)).reduce(0.0) { sum, k in
            sum + exp(common - lgamma(Double(k) + 1) - lgamma(Double(n - k) + 1))
        }
        return min(1, 2 * tail)
    }
}

/// Holm's correction of several tests: the chance of even one false alarm among all of them stays below the level.
public enum Holm {
    /// - Returns: the corrected probabilities, in the order of `probabilities`.
    public static func corrected(_ probabilities: [Double]) -> [Double] {
        let order = probabilities.indices.sorted { (probabilities[$0], $0) < (probabilities[$1], $1) }
        var result = [Double](repeating: 1, count: probabilities.count)
        var largest = 0.0
        for (rank, index) in order.enumerated() {
            largest = max(largest, min(1, probabilities[index] * Double(order.count - rank)))
            result[index] = largest
        }
        return result
    }
}
