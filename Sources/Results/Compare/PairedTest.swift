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
