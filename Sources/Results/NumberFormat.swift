import Foundation
import Pipeline

/// How numbers of one kind are printed.
public struct NumberFormat: Sendable {
    /// Multiplied with before printing, such as 100 for shares as per cent.
    public var scale: Double
    public var decimals: Int
    public var suffix: String

    public init(scale: Double = 1, decimals: Int, suffix: String = "") {
        self.scale = scale
        self.decimals = decimals
        self.suffix = suffix
    }

    /// Shares as per cent with one decimal, without the sign.
    public static let percent = NumberFormat(scale: 100, decimals: 1)

    /// The number with a fixed number of decimals; a dash where there is none.
    public func text(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        let text = String(format: "%.\(max(0, decimals))f", value * scale)
        // A small negative number rounds to zero, which has no sign.
        let isZero = text.allSatisfy { "-0.".contains($0) }
        return (isZero && text.hasPrefix("-") ? String(text.dropFirst()) : text) + suffix
    }

    /// Whether a number is printed without losing a digit.
    func isExact(_ value: Double) -> Bool {
        let places = pow(10, Double(decimals))
        return abs((value * scale * places).rounded() - value * scale * places) < 1e-9
    }

    /// The value with its interval, `87.1 [86.0–88.2]`; the status where there is no value.
    public func text(_ metric: Metric) -> String {
        metric.status == .ok ? text(metric.value, metric.interval) : metric.status.rawValue
    }

    /// The value with its interval, where there is one.
    public func text(_ value: Double?, _ interval: Metric.Interval?) -> String {
        guard let interval else { return text(value) }
        // With a minus sign within, a dash between the bounds would be hard to read.
        let separator = interval.lower < 0 ? " to " : "–"
        return "\(text(value)) [\(text(interval.lower))\(separator)\(text(interval.upper))]"
    }
}

extension Metric.Interval {
    /// How it was made: `percentile bootstrap, 1000 replicates, seed 0`.
    var words: String {
        [method, replicates.map { "\($0) replicates" }, seed.map { "seed \($0)" }].compactMap { $0 }.joined(
            separator: ", ")
    }
}
