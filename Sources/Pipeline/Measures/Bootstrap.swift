import Foundations

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
        return interval(ofReplicates: resampledSums(values).map { $0 / Double(values.count) })
    }

    /// The interval of a quantile of one value an image, see ``Quantile``.
    ///
    /// A replicate's order statistics follow from how often each of the sorted values was drawn, so that
    /// nothing is sorted again.
    /// - Parameter probability: 0…1, such as 0.5 for the median.
    /// - Returns: nil as ``interval(ofMean:)``.
    public func interval(ofQuantile probability: Double, of values: [Double]) -> Metric.Interval? {
        guard values.count >= 2, values.count <= Int(UInt32.max), replicates >= 2, level > 0, level < 1,
            (0...1).contains(probability), values.allSatisfy(\.isFinite)
        else { return nil }
        let sorted = values.sorted()
        let place = Quantile.Place(probability, of: sorted.count)
        var draws = [Int32](repeating: 0, count: sorted.count)
        return interval(
            ofReplicates: (0..<replicates).map { replicate in
                for index in draws.indices { draws[index] = 0 }
                forEachDraw(of: sorted.count, replicate: replicate) { draws[$0] += 1 }
                return place.value(sorted, timesEach: draws)
            })
    }

    /// The intervals of statistics of several sums over images, such as ratios of two: each replicate draws
    /// images, adds their rows, and evaluates the statistics on the sums.
    /// - Parameter rows: what each image adds to the sums; all of one length.
    /// - Returns: for each statistic nil as ``interval(ofMean:)``, also where one of its replicates is not finite.
    public func intervals(ofSums rows: [[Double]], _ statistics: [([Double]) -> Double]) -> [Metric.Interval?] {
        guard rows.count >= 2, rows.count <= Int(UInt32.max), replicates >= 2, level > 0, level < 1,
            let width = rows.first?.count, rows.allSatisfy({ $0.count == width && $0.allSatisfy(\.isFinite) })
        else { return statistics.map { _ in nil } }
        var samples = statistics.map { _ in [Double]() }
        forEachSum(of: rows, width: width) { sums in
            for (index, statistic) in statistics.enumerated() { samples[index].append(statistic(sums)) }
        }
        return samples.map { $0.allSatisfy(\.isFinite) ? interval(ofReplicates: $0) : nil }
    }

    /// Calls `body` with the sums of the drawn rows of one replicate after the other.
    private func forEachSum(of rows: [[Double]], width: Int, _ body: ([Double]) -> Void) {
        // Few columns stay in registers; each is added up in the same order in all three ways.
        switch width {
        case ...2: forEachSum(of: rows.map { Self.padded($0, SIMD2<Double>.self) }, width, body)
        case ...8: forEachSum(of: rows.map { Self.padded($0, SIMD8<Double>.self) }, width, body)
        default:
            let values = rows.flatMap { $0 }
            var sums = [Double](repeating: 0, count: width)
            for replicate in 0..<replicates {
                for column in 0..<width { sums[column] = 0 }
                values.withUnsafeBufferPointer { values in
                    sums.withUnsafeMutableBufferPointer { sums in
                        forEachDraw(of: rows.count, replicate: replicate) { row in
                            for column in 0..<width { sums[column] += values[row * width + column] }
                        }
                    }
                }
                body(sums)
            }
        }
    }

    @inline(__always)
    private func forEachSum<Row: SIMD>(of rows: [Row], _ width: Int, _ body: ([Double]) -> Void)
    where Row.Scalar == Double {
        rows.withUnsafeBufferPointer { rows in
            for replicate in 0..<replicates {
                var sum = Row(repeating: 0)
                forEachDraw(of: rows.count, replicate: replicate) { sum += rows[$0] }
                body((0..<width).map { sum[$0] })
            }
        }
    }

    private static func padded<Row: SIMD>(_ row: [Double], _ type: Row.Type) -> Row where Row.Scalar == Double {
        var padded = Row(repeating: 0)
        for (column, value) in row.enumerated() { padded[column] = value }
        return padded
    }

    /// How far apart two numbers of the same images are, the same images drawn for both (the paired bootstrap).
    /// - Returns: nil as ``interval(ofMean:)``, and where the images are not the same.
    public func difference(_ base: ImageTerms, _ head: ImageTerms) -> PairedDifference? {
        let count = base.images.count
        guard base.images == head.images, count >= 2, count <= Int(UInt32.max), replicates >= 2, level > 0, level < 1
        else { return nil }
        guard base != head else {
            let none = [Double](repeating: 0, count: replicates)
            return PairedDifference(value: 0, standardError: 0, interval: interval(ofReplicates: none))
        }
        var draws = [Int32](repeating: 0, count: count)
        let differences = (0..<replicates).map { replicate in
            for index in draws.indices { draws[index] = 0 }
            forEachDraw(of: count, replicate: replicate) { draws[$0] += 1 }
            return head.value(timesEach: draws) - base.value(timesEach: draws)
        }
        guard differences.allSatisfy(\.isFinite) else { return nil }
        let mean = differences.reduce(0, +) / Double(replicates)
        let squares = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return PairedDifference(
            value: head.value - base.value, standardError: (squares / Double(replicates - 1)).squareRoot(),
            interval: interval(ofReplicates: differences))
    }

    /// The number that images add to, of one sample of the images after the other; two numbers of the same images get the
    /// same samples.
    /// - Returns: nil as ``interval(ofMean:)``, and where a sample gives no number. // [replicates]
    public func replicates(of terms: ImageTerms) -> [Double]? {
        let count = terms.images.count
        guard count >= 2, count <= Int(UInt32.max), replicates >= 2 else { return nil }
        if let values = terms.meanValues { return resampledSums(values).map { $0 / Double(count) } }
        var draws = [Int32](repeating: 0, count: count)
        let values = (0..<replicates).map { replicate in
            for index in draws.indices { draws[index] = 0 }
            forEachDraw(of: count, replicate: replicate) { draws[$0] += 1 }
            return terms.value(timesEach: draws)
        }
        return values.allSatisfy(\.isFinite) ? values : nil
    }

    private func interval(ofReplicates replicates: [Double]) -> Metric.Interval {
        let sorted = replicates.sorted()
        let tail = (1 - level) / 2
        return Metric.Interval(
            lower: Quantile.of(sorted, tail), upper: Quantile.of(sorted, 1 - tail), level: level,
            method: "percentile bootstrap", replicates: sorted.count, seed: seed, resamplingUnit: resamplingUnit)
    }

    /// The sum of as many values as there are, drawn with replacement.
    func resampledSum(_ values: [Double], replicate: Int) -> Double {
        values.withUnsafeBufferPointer { values in
            var sum = 0.0
            forEachDraw(of: values.count, replicate: replicate) { sum += values[$0] }
            return sum
        }
    }

    /// ``resampledSum(_:replicate:)`` of all replicates.
    private func resampledSums(_ values: [Double]) -> [Double] {
        var sums: [Double] = []
        sums.reserveCapacity(replicates)
        let lanes = 4
        while sums.count + lanes <= replicates {
            let sum = values.withUnsafeBufferPointer { resampledSums($0, firstReplicate: sums.count) }
            for lane in 0..<lanes { sums.append(sum[lane]) }
        }
        while sums.count < replicates { sums.append(resampledSum(values, replicate: sums.count)) }
        return sums
    }

    /// Four replicates at a time: an addition waits for the one before it, but not for those of other replicates.
    private func resampledSums(_ values: UnsafeBufferPointer<Double>, firstReplicate: Int) -> SIMD4<Double> {
        func generator(_ lane: Int) -> SplitMix64 {
            SplitMix64(seed: seed, stream: UInt64(firstReplicate + lane))
        }
        var (a, b, c, d) = (generator(0), generator(1), generator(2), generator(3))
        var sum = SIMD4<Double>(repeating: 0)
        let count = values.count
        for _ in 0..<count / 2 {
            let (i, j, k, l) = (a.next(), b.next(), c.next(), d.next())
            sum += SIMD4(
                values[Self.low(i, count)], values[Self.low(j, count)], values[Self.low(k, count)],
                values[Self.low(l, count)])
            sum += SIMD4(
                values[Self.high(i, count)], values[Self.high(j, count)], values[Self.high(k, count)],
                values[Self.high(l, count)])
        }
        if !count.isMultiple(of: 2) {
            sum += SIMD4(
                values[Self.high(a.next(), count)], values[Self.high(b.next(), count)],
                values[Self.high(c.next(), count)],
                values[Self.high(d.next(), count)])
        }
        return sum
    }

    /// As many indices as there are values, drawn with replacement.
    @inline(__always)
    private func forEachDraw(of values: Int, replicate: Int, _ body: (Int) -> Void) {
        var generator = SplitMix64(seed: seed, stream: UInt64(replicate))
        for _ in 0..<values / 2 {
            let bits = generator.next()
            body(Self.low(bits, values))
            body(Self.high(bits, values))
        }
        if !values.isMultiple(of: 2) { body(Self.high(generator.next(), values)) }
    }

    // Two draws from each 64 random bits. Scaling 32 bits to the range favours an index by at most count / 2³², far
    // below what 1000 replicates resolve.

    @inline(__always)
    private static func low(_ bits: UInt64, _ count: Int) -> Int { Int(((bits & 0xFFFF_FFFF) &* UInt64(count)) >> 32) }

    @inline(__always)
    private static func high(_ bits: UInt64, _ count: Int) -> Int { Int(((bits >> 32) &* UInt64(count)) >> 32) }
}
