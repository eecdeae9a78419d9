import Foundation

/// Quantiles with linear interpolation between neighbours (type 7 of Hyndman and Fan).
public enum Quantile {
    /// - Parameters:
    ///   - sorted: ascending.
    ///   - probability: 0…1, such as 0.5 for the median.
    /// - Returns: NaN where there are no values.
    public static func of(_ sorted: [Double], _ probability: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let place = Place(probability, of: sorted.count)
        return place.between(sorted[place.lower], sorted[place.upper])
    }

    /// Between which two of n sorted values a quantile lies, and where.
    struct Place {
        let lower: Int
        let upper: Int
        private let fraction: Double

        /// - Precondition: n > 0 and a probability of 0…1.
        init(_ probability: Double, of n: Int) {
            precondition(n > 0 && (0...1).contains(probability))
            let position = probability * Double(n - 1)
            lower = Int(position)
            upper = min(lower + 1, n - 1)
            fraction = position - Double(lower)
        }

        func between(_ first: Double, _ second: Double) -> Double { first + fraction * (second - first) }

        /// The quantile of a list in which each of the sorted values stands some number of times, n in all.
        func value(_ sorted: [Double], timesEach counts: [Int32]) -> Double {
            var (index, passed) = (0, Int(counts[0]))
            while passed <= lower {
                index += 1
                passed += Int(counts[index])
            }
            let first = sorted[index]
            while passed <= upper {
                index += 1
                passed += Int(counts[index])
            }
            return between(first, sorted[index])
        }
    }
}

/// The inverse of the standard normal distribution.
public enum NormalQuantile {
    /// The z with Φ(z) = `probability`, to the last digits of a double.
    ///
    /// A rational first guess (Abramowitz and Stegun, 26.2.23), mended by Newton's method.
    /// - Parameter probability: above 0 and below 1.
    /// - Precondition: the probability is one.
    public static func of(_ probability: Double) -> Double {
        precondition(probability > 0 && probability < 1, "\(probability) is no probability of anything")
        guard probability <= 0.5 else { return -of(1 - probability) }
        let t = (-2 * log(probability)).squareRoot()
        var z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
        for _ in 0..<4 {
            let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
            guard density > 0 else { break }
            z -= (erfc(-z / 2.0.squareRoot()) / 2 - probability) / density
        }
        return z
    }
}

/// Confidence intervals of shares: how many of n units have a property.
///
/// Drawing units again says nothing where none or all of them have it, and covers too seldom where few do (58 % instead of
/// 95 for 3 in 1000 of 300 units). Wilson's score interval (1927) inverts the test of a share and does neither.
public struct ShareInterval: Sendable {
    /// Probability that the interval is to hold.
    public var level: Double
    /// What is counted, such as `image`.
    public var unit: String

    public init(level: Double = 0.95, unit: String = "image") {
        (self.level, self.unit) = (level, unit)
    }

    /// - Parameters:
    ///   - share: of the units that have the property, 0…1.
    ///   - n: units; fewer than there are where they hang together, see ``designEffect(_:)``.
    /// - Returns: nil where there are no units.
    public func interval(_ share: Double, of n: Double, designEffect: Double = 1) -> Metric.Interval? {
        guard n > 0, share.isFinite, (0...1).contains(share) else { return nil }
        let (z, size) = (NormalQuantile.of((1 + level) / 2), n / max(1, designEffect))
        let square = z * z / size
        let middle = (share + square / 2) / (1 + square)
        let half = z / (1 + square) * (share * (1 - share) / size + square / (4 * size)).squareRoot()
        return Metric.Interval(
            lower: max(0, middle - half), upper: min(1, middle + half), level: level,
            method: designEffect > 1
                ? "Wilson score, design effect \((designEffect * 100).rounded() / 100)" : "Wilson score",
            resamplingUnit: unit)
    }

    /// The interval of the share of units that have a property.
    /// - Parameter values: whether each unit has it.
    /// - Returns: nil where there are no units.
    public func interval(of values: [Bool]) -> Metric.Interval? {
        interval(Double(values.count { $0 }) / Double(values.count), of: Double(values.count))
    }

    /// How many units that come in clusters, such as the pictures of one description, count for one that stands alone:
    /// 1 + (m − 1)ρ, ρ being the correlation within clusters, estimated by the analysis of variance and pooled over groups
    /// that have shares of their own (Donner and Klar 2000). At least 1.
    /// - Parameter groups: of each group the clusters: how many units of a cluster have the property, and how many it has.
    public static func designEffect(_ groups: [[(successes: Int, units: Int)]]) -> Double {
        var (between, within, clusterFreedom, unitFreedom, squares, units, clusters) = (
            0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        )
        for group in groups.map({ $0.filter { $0.units > 0 } }) where group.count > 1 {
            let (n, successes) = group.reduce((0.0, 0.0)) { ($0.0 + Double($1.units), $0.1 + Double($1.successes)) }
            let share = successes / n
            for cluster in group {
                let (m, p) = (Double(cluster.units), Double(cluster.successes) / Double(cluster.units))
                between += m * (p - share) * (p - share)
                within += m * p * (1 - p)
                squares += m * m / n
            }
            clusterFreedom += Double(group.count - 1)
            unitFreedom += n - Double(group.count)
            units += n
            clusters += Double(group.count)
        }
        guard clusterFreedom > 0, unitFreedom > 0 else { return 1 }
        let (meanBetween, meanWithin) = (between / clusterFreedom, within / unitFreedom)
        // The size of a cluster as it enters the expectation of the mean square between clusters.
        let size = (units - squares) / clusterFreedom
        let total = meanBetween + (size - 1) * meanWithin
        guard total > 0 else { return 1 }
        return max(1, 1 + (units / clusters - 1) * (meanBetween - meanWithin) / total)
    }
}
