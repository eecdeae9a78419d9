/// Pixels of a map against a mask of the foreground, of one image or, added up, of many.
///
/// A mask has 0 for background, 1 for foreground and 255 for unlabelled pixels, which do not count.
/// The ratios are those of the added counts, not means over images (arXiv 2406.04341, Table 4, and the
/// evaluations before it).
public struct SegmentationCounts: Sendable, Equatable, Codable {
    public static let unlabelled: UInt8 = 255

    /// Of the pixels that are of a class in the map or in the mask, those that are of it in both.
    public struct Overlap: Sendable, Equatable, Codable {
        public var intersection: Int
        public var union: Int

        public init(intersection: Int = 0, union: Int = 0) {
            self.intersection = intersection
            self.union = union
        }

        /// NaN if the class is nowhere.
        public var ratio: Double { Double(intersection) / Double(union) }
    }

    public private(set) var correct = 0
    public private(set) var labelled = 0
    public private(set) var background = Overlap()
    public private(set) var foreground = Overlap()

    /// No pixels.
    public init() {}

    /// Counts that were made elsewhere, such as sums over images that were drawn again.
    public init(correct: Int, labelled: Int, background: Overlap, foreground: Overlap) {
        self.correct = correct
        self.labelled = labelled
        self.background = background
        self.foreground = foreground
    }

    /// Foreground is where `map > threshold`; a NaN is not.
    /// - Throws: ``SegmentationError``.
    public init(map: [Float], mask: [UInt8], threshold: Float) throws {
        try Self.validate(map: map, mask: mask)
        var (bothBackground, bothForeground, mapForeground, maskForeground) = (0, 0, 0, 0)
        for (value, label) in zip(map, mask) where label != Self.unlabelled {
            let (found, expected) = (value > threshold, label == 1)
            labelled += 1
            bothBackground += !found && !expected ? 1 : 0
            bothForeground += found && expected ? 1 : 0
            mapForeground += found ? 1 : 0
            maskForeground += expected ? 1 : 0
        }
        correct = bothBackground + bothForeground
        background = Overlap(intersection: bothBackground, union: labelled - bothForeground)
        foreground = Overlap(intersection: bothForeground, union: mapForeground + maskForeground - bothForeground)
    }

    /// - Throws: ``SegmentationError``.
    public init(map: [Float], mask: [UInt8], rule: ForegroundRule) throws {
        try self.init(map: map, mask: mask, threshold: rule.threshold(of: map))
    }

    public static func += (sum: inout Self, other: Self) {
        sum.correct += other.correct
        sum.labelled += other.labelled
        sum.background.intersection += other.background.intersection
        sum.background.union += other.background.union
        sum.foreground.intersection += other.foreground.intersection
        sum.foreground.union += other.foreground.union
    }

    /// Correct/labelled; NaN without labelled pixels.
    public var pixelAccuracy: Double { Double(correct) / Double(labelled) }

    /// The mean of background and foreground; NaN if one of them is nowhere.
    public var meanIntersectionOverUnion: Double { (background.ratio + foreground.ratio) / 2 }

    /// Average precision of both channels in one list: scores 1 − map with background pixels as positives, and
    /// scores map with foreground pixels as positives.
    /// - Parameter map: in [0, 1].
    /// - Returns: zero where it is not defined: without labelled pixels, and for a map with NaN.
    ///   ``averagePrecisionOfConstantMap`` stands for maps that tell no place from another.
    /// - Throws: ``SegmentationError``.
    public static func pooledAveragePrecision(map: [Float], mask: [UInt8]) throws -> Double {
        try validate(map: map, mask: mask)
        var (scores, labels) = ([Float](), [Bool]())
        scores.reserveCapacity(2 * map.count)
        labels.reserveCapacity(2 * map.count)
        for (value, label) in zip(map, mask) where label != unlabelled {
            scores.append(1 - value)
            labels.append(label == 0)
            scores.append(value)
            labels.append(label == 1)
        }
        let precision = AveragePrecision.value(scores: scores, labels: labels)
        return precision.isNaN ? 0 : precision
    }

    /// What the published evaluations give a map of one value: its range is zero, 0/0 counts as 0 in both channels, and of the
    /// two scores of each pixel one is a positive.
    public static let averagePrecisionOfConstantMap = 0.5

    static func validate(map: [Float], mask: [UInt8]) throws {
        guard !mask.isEmpty else { throw SegmentationError.emptyMask }
        guard map.count == mask.count else { throw SegmentationError.sizesDiffer(map: map.count, mask: mask.count) }
        if let pixel = mask.firstIndex(where: { $0 > 1 && $0 != unlabelled }) {
            throw SegmentationError.unknownLabel(mask[pixel], pixel: pixel)
        }
    }
}

/// Which pixels of a map count as foreground.
public enum ForegroundRule: Sendable, Equatable {
    /// Where the map is above a constant: 0.5 in arXiv 2406.04341.
    case above(Float)
    /// Where the map is above its own mean, as in the older evaluations.
    case aboveMean

    /// The number that a pixel of this map has to exceed.
    public func threshold(of map: [Float]) -> Float {
        switch self {
        case .above(let constant): constant
        case .aboveMean: map.isEmpty ? 0 : Float(map.reduce(0.0) { $0 + Double($1) } / Double(map.count))
        }
    }
}

/// A map and a mask that cannot be compared. Facts only.
public enum SegmentationError: Error, Equatable, Sendable {
    case emptyMask
    /// Pixels of each.
    case sizesDiffer(map: Int, mask: Int)
    /// A label that is none of 0, 1 and 255.
    case unknownLabel(UInt8, pixel: Int)
}
