/// Confidence intervals by drawing images again (Efron 1979): the percentile method.
///
/// Replicate r draws its images from a generator keyed by (seed, r), so that an interval does not
/// depend on threads, and two measures of the same images with the same seed draw the same images.
public struct Bootstrap: Sendable {
    public var seed: UInt64
    public var replicates: Int
    /// Probability that the interval is to hold.
    public var level: Double
    /// What is drawn again.
    public var resamplingUnit: String

    public init(
        seed: UInt64 = 0, replicates: Int = 1000, level: Double = 0.95,
        resamplingUnit: String = "image"
    ) {
        self.seed = seed
        self.replicates = replicates
        self.level = level
        self.resamplingUnit = resamplingUnit
    }

    /// The interval of the mean of one value an image.
    ///
    /// Nil where resampling says nothing: fewer than two values, a value that is not finite, fewer
    /// than two replicates, or more values than a 32-bit index reaches.
    public func interval(ofMean values: [Double]) -> Metric.Interval? {
        guard values.count >= 2, values.count <= Int(UInt32.max), replicates >= 2,
            level > 0, level < 1, values.allSatisfy(\.isFinite)
        else { return nil }
        var means = (0..<replicates).map { replicate in
            resampledSum(values, replicate: replicate) / Double(values.count)
        }
        means.sort()
        let tail = (1 - level) / 2
        return Metric.Interval(
            lower: quantile(tail, of: means), upper: quantile(1 - tail, of: means), level: level,
            method: "percentile bootstrap", replicates: replicates, seed: seed,
            resamplingUnit: resamplingUnit)
    }

    /// The interval of a share of images, such as an accuracy.
    public func interval(ofShare values: [Bool]) -> Metric.Interval? {
        interval(ofMean: values.map { $0 ? 1 : 0 })
    }

    /// The sum of as many values as there are, drawn with replacement.
    func resampledSum(_ values: [Double], replicate: Int) -> Double {
        var generator = CounterGenerator(seed: seed, stream: UInt64(replicate))
        let count = UInt64(values.count)
        return values.withUnsafeBufferPointer { values in
            // Two draws from each 64 random bits. Scaling 32 bits to the range favours an index by
            // at most count / 2³², far below what 1000 replicates resolve.
            var sum = 0.0
            for _ in 0..<values.count / 2 {
                let bits = generator.next()
                sum += values[Int(((bits & 0xFFFF_FFFF) &* count) >> 32)]
                sum += values[Int(((bits >> 32) &* count) >> 32)]
            }
            if !values.count.isMultiple(of: 2) {
                sum += values[Int(((generator.next() >> 32) &* count) >> 32)]
            }
            return sum
        }
    }

    /// The quantile with linear interpolation between neighbours (type 7 of Hyndman and Fan).
    private func quantile(_ probability: Double, of sorted: [Double]) -> Double {
        let position = probability * Double(sorted.count - 1)
        let lower = Int(position)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
    }
}
