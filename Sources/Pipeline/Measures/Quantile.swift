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
