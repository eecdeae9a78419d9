/// The overlap of a map's foreground with a label's pixels at every threshold of a grid.
public struct IntersectionCurve: Sendable {
    /// Ascending.
    public let thresholds: [Float]

    /// - Precondition: thresholds ascend.
    public init(thresholds: [Float]) {
        precondition(zip(thresholds, thresholds.dropFirst()).allSatisfy { $0 < $1 }, "thresholds ascend")
        self.thresholds = thresholds
    }

    /// 0, 0.01, …, 1
    public static let hundredths = IntersectionCurve(thresholds: (0...100).map { Float($0) / 100 })

    /// Intersection over union of `map > threshold` with the label's pixels.
    /// - Parameters:
    ///   - map: from 0 to 1.
    ///   - mask: 1 where the label is, 0 elsewhere, 255 where nothing counts.
    /// - Returns: nil where the label is nowhere. // [thresholds]
    /// - Throws: ``SegmentationError``.
    public func ratios(map: [Float], mask: [UInt8]) throws -> [Float]? {
        try SegmentationCounts.validate(map: map, mask: mask)
        // How many pixels exceed the first so many thresholds and no more.
        var (all, label) = (
            [Int](repeating: 0, count: thresholds.count + 1), [Int](repeating: 0, count: thresholds.count + 1)
        )
        for (value, kind) in zip(map, mask) where kind != SegmentationCounts.unlabelled {
            let passed = count(below: value)
            all[passed] += 1
            if kind == 1 { label[passed] += 1 }
        }
        let labelled = label.reduce(0, +)
        guard labelled > 0 else { return nil }
        var ratios = [Float](repeating: 0, count: thresholds.count)
        var (found, hit) = (0, 0)
        for index in thresholds.indices.reversed() {
            found += all[index + 1]
            hit += label[index + 1]
            ratios[index] = Float(hit) / Float(labelled + found - hit)
        }
        return ratios
    }

    /// How many thresholds a value exceeds; none for a NaN.
    private func count(below value: Float) -> Int {
        var (lower, upper) = (0, thresholds.count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if thresholds[middle] < value { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
