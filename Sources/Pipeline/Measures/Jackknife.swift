import Foundations

/// Confidence intervals by leaving out one group of images after the other: the delete-a-group jackknife (Kott 2001).
///
/// For a mean over many labels of which each has few images: images that are drawn again leave out a third of them,
/// and with them labels, so that the ``Bootstrap``'s replicates lie to one side of the measured number.
public struct Jackknife: Sendable {
    public var seed: UInt64
    /// At most; never more than there are images.
    public var groups: Int
    /// What is left out.
    public var resamplingUnit: String
    /// Values that a statistic can have, to which intervals are cut.
    public var bounds: ClosedRange<Double>

    /// - Parameter bounds: those of a share by default.
    public init(
        seed: UInt64 = 0, groups: Int = 100, resamplingUnit: String = "image", bounds: ClosedRange<Double> = 0...1
    ) {
        (self.seed, self.groups, self.resamplingUnit, self.bounds) = (seed, groups, resamplingUnit, bounds)
    }

    /// Probability that the interval is to hold.
    private static let level = 0.95

    /// Half the width of the interval in standard errors: Student's t for so many groups, by its expansion about the
    /// normal quantile (Abramowitz and Stegun, 26.7.5), good to 2 % from six groups on and too small below.
    private static func width(groups: Int) -> Double {
        let (z, n) = (NormalQuantile.of((1 + level) / 2), Double(groups - 1))
        let cube = z * z * z
        return z + (cube + z) / (4 * n) + (5 * cube * z * z + 16 * cube + 3 * z) / (96 * n * n)
    }

    /// The intervals of some statistics, each about its value on all images.
    /// - Parameters:
    ///   - units: how many images there are.
    ///   - statistics: of the images that count; always as many numbers.
    /// - Returns: for each statistic nil with fewer than two images, or where one of its values is not finite.
    public func intervals(of units: Int, _ statistics: (_ counts: [Bool]) -> [Double]) -> [Metric.Interval?] {
        var counts = [Bool](repeating: true, count: units)
        let values = statistics(counts)
        let groups = min(groups, units)
        guard groups >= 2 else { return values.map { _ in nil } }
        var generator = SplitMix64(seed: seed, stream: 0)
        let order = (0..<units).map { ($0, generator.next()) }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
        var samples = values.map { _ in [Double]() }
        for group in 0..<groups {
            let left = stride(from: group, to: units, by: groups).map { order[$0] }
            for unit in left { counts[unit] = false }
            for (index, value) in statistics(counts).enumerated() { samples[index].append(value) }
            for unit in left { counts[unit] = true }
        }
        return zip(values, samples).map { value, sample in
            guard value.isFinite, sample.allSatisfy(\.isFinite) else { return nil }
            let mean = sample.reduce(0, +) / Double(groups)
            let squares = sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            let half = Self.width(groups: groups) * (squares * Double(groups - 1) / Double(groups)).squareRoot()
            return Metric.Interval(
                lower: max(value - half, bounds.lowerBound), upper: min(value + half, bounds.upperBound),
                level: Self.level, method: "delete-a-group jackknife",
                replicates: groups, seed: seed, resamplingUnit: resamplingUnit)
        }
    }
}
