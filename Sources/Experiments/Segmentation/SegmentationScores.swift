import Attribution
import Pipeline

/// Maps against masks: for every image and case the pixel counts under each foreground rule, and the
/// average precision.
struct SegmentationScores: ColumnTable {
    /// Numbers that a count has.
    private static let parts = 6

    private(set) var cases = 0
    private(set) var rules = 0
    /// // [images, cases, rules, parts]
    private(set) var counts: [Int32] = []
    /// // [images, cases]
    private(set) var precisions: [Float] = []
    /// 1 for a map that tells no place from another. // [images, cases]
    private var constants: [Int32] = []
    /// The model's own answer. // [images]
    private(set) var predicted: [Int32] = []
    /// By how many logits it leads. // [images]
    private(set) var margins: [Float] = []
    /// A class that the image does not show. // [images]
    private(set) var absent: [Int32] = []

    static let columns: [Column<Self>] = [
        .shared("cases", \.cases), .shared("rules", \.rules),
        .rows("counts", \.counts) { [$0.cases, $0.rules, parts] },
        .rows("precisions", \.precisions) { [$0.cases] }, .rows("constants", \.constants) { [$0.cases] },
        .rows("predicted", \.predicted), .rows("margins", \.margins), .rows("absent", \.absent),
    ]

    var images: Int { predicted.count }

    init() {}
    init(cases: Int, rules: Int) { (self.cases, self.rules) = (cases, rules) }

    // MARK: Making

    /// Starts the next image.
    mutating func appendImage(predicted label: Int, margin: Float, absent other: Int) {
        predicted.append(Int32(label))
        margins.append(margin)
        absent.append(Int32(other))
    }

    /// The next case of the image that was started last.
    /// - Parameters:
    ///   - map: any scale and size.
    ///   - clipsNegatives: whether negative values count as 0.
    /// - Throws: `SegmentationError`.
    mutating func append(
        _ map: HeatMap, mask: [UInt8], size: Int, rules: [ForegroundRule], clipsNegatives: Bool = false
    ) throws {
        let resized = clipsNegatives ? map.resized(to: size).clippedAtZero() : map.resized(to: size)
        let map = resized.normalised()
        for rule in rules {
            let count = try SegmentationCounts(map: map.values, mask: mask, rule: rule)
            counts += [
                count.correct, count.labelled, count.background.intersection, count.background.union,
                count.foreground.intersection, count.foreground.union,
            ].map(Int32.init)
        }
        let isConstant = resized.isConstant
        constants.append(isConstant ? 1 : 0)
        precisions.append(
            Float(
                isConstant && mask.contains { $0 != SegmentationCounts.unlabelled }
                    ? SegmentationCounts.averagePrecisionOfConstantMap
                    : try SegmentationCounts.pooledAveragePrecision(map: map.values, mask: mask)))
    }

    // MARK: Reading

    /// The counts of each image as a row of numbers that can be added up.
    func rows(of item: Int, rule: Int) -> [[Double]] {
        (0..<images).map { image in
            let start = ((image * cases + item) * rules + rule) * Self.parts
            return counts[start..<start + Self.parts].map(Double.init)
        }
    }

    /// Average precision of each image.
    func precisions(of item: Int) -> [Double] { (0..<images).map { Double(precisions[$0 * cases + item]) } }

    /// For each image, whether the map tells no place from another.
    func isConstant(of item: Int) -> [Bool] { (0..<images).map { constants[$0 * cases + item] == 1 } }

    /// The ratios of added rows.
    static func counts(_ sums: [Double]) -> SegmentationCounts {
        SegmentationCounts(
            correct: Int(sums[0]), labelled: Int(sums[1]),
            background: .init(intersection: Int(sums[2]), union: Int(sums[3])),
            foreground: .init(intersection: Int(sums[4]), union: Int(sums[5])))
    }
}
