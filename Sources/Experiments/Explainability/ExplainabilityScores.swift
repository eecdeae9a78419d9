import Attribution
import DenseMath
import Pipeline

/// Labels of each image, one image's after the other.
enum PairCounts {
    /// - Throws: `PipelineError.invalidArtefact` unless the images have as many labels as there are pairs.
    static func check(_ counts: [Int32], pairs: Int) throws {
        guard counts.allSatisfy({ $0 >= 0 }), counts.reduce(0, { $0 + Int($1) }) == pairs else {
            throw PipelineError.invalidArtefact(
                part: "pair-counts", reason: "\(pairs) labels of \(counts.count) images")
        }
    }
}

/// Maps of the labels that images show, against their masks, shard by shard.
struct ExplainabilityPart: ColumnTable {
    private(set) var cases = 0
    /// The model's own answer. // [images]
    private(set) var predicted: [Int32] = []
    /// By how much cosine it leads. // [images]
    private(set) var margins: [Float] = []
    /// Labels that count for an image. // [images]
    private(set) var pairCounts: [Int32] = []
    /// // [pairs]
    private(set) var labels: [Int32] = []
    /// NaN where a label is everywhere. // [pairs, cases]
    private(set) var contrasts: [Float] = []
    /// Intersection over union. // [pairs, cases, thresholds]
    private(set) var curves: [Float] = []

    static let curve = IntersectionCurve.hundredths
    static let columns: [Column<Self>] = [
        .shared("cases", \.cases), .rows("predicted", \.predicted), .rows("margins", \.margins),
        .rows("pair-counts", \.pairCounts), .rows("labels", \.labels, of: "pairs"),
        .rows("contrasts", \.contrasts, of: "pairs") { [$0.cases] },
        .rows("curves", \.curves, of: "pairs") { [$0.cases, curve.thresholds.count] },
    ]

    init() {}
    init(cases: Int) { self.cases = cases }

    func check() throws { try PairCounts.check(pairCounts, pairs: labels.count) }

    mutating func appendImage(predicted label: Int, margin: Float) {
        predicted.append(Int32(label))
        margins.append(margin)
        pairCounts.append(0)
    }

    /// Adds a label of the image that was added last.
    /// - Parameter maps: one for each case, from 0 to 1. // [cases][size · size]
    /// - Throws: `SegmentationError`.
    mutating func appendLabel(_ label: Int, mask: [UInt8], maps: [[Float]]) throws {
        precondition(maps.count == cases, "a map for each case")
        pairCounts[pairCounts.count - 1] += 1
        labels.append(Int32(label))
        for map in maps {
            contrasts.append(Float(try ScoreContrast.value(map: map, mask: mask) ?? .nan))
            // A label that counts is somewhere.
            curves +=
                try Self.curve.ratios(map: map, mask: mask) ?? [Float](repeating: 0, count: Self.curve.thresholds.count)
        }
    }
}

/// Scores of the maps of all images, with one threshold for each case: the one of the best mean.
struct ExplainabilityScores: ColumnTable {
    private(set) var cases = 0
    private(set) var predicted: [Int32] = []
    private(set) var margins: [Float] = []
    private(set) var pairCounts: [Int32] = []
    /// // [pairs]
    private(set) var labels: [Int32] = []
    /// NaN where a label is everywhere. // [pairs, cases]
    private(set) var contrasts: [Float] = []
    /// Mean intersection over union. // [cases, thresholds]
    private(set) var curves: [Double] = []
    /// Index of the best threshold, the lowest among equals. // [cases]
    private(set) var best: [Int32] = []
    /// At the best threshold. // [pairs, cases]
    private(set) var ratios: [Float] = []

    var images: Int { predicted.count }
    var pairs: Int { labels.count }
    static let thresholds = IntersectionCurve.hundredths.thresholds

    static let columns: [Column<Self>] = [
        .shared("cases", \.cases), .rows("predicted", \.predicted), .rows("margins", \.margins),
        .rows("pair-counts", \.pairCounts), .rows("labels", \.labels, of: "pairs"),
        .rows("contrasts", \.contrasts, of: "pairs") { [$0.cases] },
        .rows("ratios", \.ratios, of: "pairs") { [$0.cases] },
        .rows("best", \.best, of: "cases"), .rows("curves", \.curves, of: "cases") { _ in [thresholds.count] },
    ]

    init() {}

    func check() throws {
        try PairCounts.check(pairCounts, pairs: labels.count)
        guard best.count == cases, best.allSatisfy(Self.thresholds.indices.map(Int32.init).contains) else {
            throw PipelineError.invalidArtefact(part: "best", reason: "\(best) for \(cases) cases")
        }
    }

    /// - Throws: what reading a shard throws.
    init(_ shards: ShardOutputs<ExplainabilityPart>, cases: Int) throws {
        self.cases = cases
        let steps = Self.thresholds.count
        curves = [Double](repeating: 0, count: cases * steps)
        try shards.forEach { _, part in
            predicted += part.predicted
            margins += part.margins
            pairCounts += part.pairCounts
            labels += part.labels
            contrasts += part.contrasts
            for (index, value) in part.curves.enumerated() { curves[index % (cases * steps)] += Double(value) }
        }
        if !labels.isEmpty { for index in curves.indices { curves[index] /= Double(labels.count) } }
        best = (0..<cases).map { item in
            let curve = curves[item * steps..<(item + 1) * steps]
            return Int32(
                (curve.indices.max { (curve[$0], $1) < (curve[$1], $0) } ?? curve.startIndex) - curve.startIndex)
        }
        // Only now is it known which of each curve's values count.
        try shards.forEach { _, part in
            for pair in 0..<part.labels.count {
                for item in 0..<cases { ratios.append(part.curves[(pair * cases + item) * steps + Int(best[item])]) }
            }
        }
    }

    // MARK: Reading

    func curve(of item: Int) -> ArraySlice<Double> {
        curves[item * Self.thresholds.count..<(item + 1) * Self.thresholds.count]
    }

    func threshold(of item: Int) -> Float { Self.thresholds[Int(best[item])] }

    /// For each image, the sum over its labels and how many they are: for means that images are drawn again for.
    /// // [images][2]
    /// - Parameter value: of a pair; NaN does not count.
    func rows(_ value: (Int) -> Float) -> [[Double]] {
        var pair = 0
        return pairCounts.map { count in
            var (sum, counted) = (0.0, 0.0)
            for index in pair..<pair + Int(count) where !value(index).isNaN {
                sum += Double(value(index))
                counted += 1
            }
            pair += Int(count)
            return [sum, counted]
        }
    }

    func ratio(_ pair: Int, _ item: Int) -> Float { ratios[pair * cases + item] }
    func contrast(_ pair: Int, _ item: Int) -> Float { contrasts[pair * cases + item] }
}
