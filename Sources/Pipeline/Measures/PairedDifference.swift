import Foundation

/// The difference of two numbers of the same images.
public struct PairedDifference: Equatable, Sendable {
    public let value: Double
    /// Standard deviation of the difference over samples of the images.
    public let standardError: Double
    public let interval: Metric.Interval

    /// The probability of a difference as large, either way, if there is none: by the normal distribution, because
    /// the share of replicates beyond zero cannot tell probabilities below one in their number.
    public var probability: Double {
        guard value != 0 else { return 1 }
        return standardError > 0 ? erfc(abs(value) / standardError / 2.0.squareRoot()) : 0
    }
}
