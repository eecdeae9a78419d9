/// The area under the precision–recall curve, taken as steps.
public enum AveragePrecision {
    /// AP = Σ_k (R_k − R_{k−1}) P_k over the distinct scores, largest first, P_k and R_k the precision and recall
    /// of "score ≥ s_k is positive". Equal scores are one step, so their order cannot matter (as in
    /// scikit-learn's `average_precision_score`).
    ///
    /// - Returns: NaN without positives, and for scores that are NaN.
    /// - Precondition: as many labels as scores.
    public static func value(scores: [Float], labels: [Bool]) -> Double {
        precondition(scores.count == labels.count, "\(scores.count) scores, \(labels.count) labels")
        guard !scores.contains(where: \.isNaN) else { return .nan }
        let order = sortedByScore(zip(scores, labels).map { descendingKey($0.0) << 1 | ($0.1 ? 1 : 0) })
        var (seen, positives, weighted) = (0, 0, 0.0)
        var first = 0
        while first < order.count {
            let score = order[first] >> 1
            var positivesHere = 0
            var end = first
            while end < order.count, order[end] >> 1 == score {
                positivesHere += Int(order[end] & 1)
                end += 1
            }
            (seen, positives) = (end, positives + positivesHere)
            weighted += Double(positivesHere) * Double(positives) / Double(seen)
            first = end
        }
        return positives > 0 ? weighted / Double(positives) : .nan
    }

    /// A 32-bit key that ascends as the score descends; both zeros have the same.
    private static func descendingKey(_ score: Float) -> UInt64 {
        // Adding zero turns −0 into +0.
        let bits = (score + 0).bitPattern
        // Bit patterns of positive numbers ascend with the number, those of negative numbers descend.
        let ascending = bits >> 31 == 0 ? bits | 1 << 31 : ~bits
        return UInt64(~ascending)
    }

    /// Keys sorted by bits 1…33, in three counting passes of 11 bits. A comparison sort takes about ten times as long.
    private static func sortedByScore(_ keys: [UInt64]) -> [UInt64] {
        let (digitBits, passes) = (11, 3)
        let mask: UInt64 = 1 << digitBits - 1
        var (source, target) = (keys, keys)
        for pass in 0..<passes {
            let shift = UInt64(1 + pass * digitBits)
            var places = [Int](repeating: 0, count: 1 << digitBits)
            for key in source { places[Int(key >> shift & mask)] += 1 }
            var next = 0
            for digit in places.indices { (places[digit], next) = (next, next + places[digit]) }
            for key in source {
                let digit = Int(key >> shift & mask)
                target[places[digit]] = key
                places[digit] += 1
            }
            swap(&source, &target)
        }
        return source
    }
}

/// Images ranked by a score once, whose average precision is asked for of many parts of them.
public struct Ranking: Sendable {
    /// By descending score. // [images]
    private let order: [Int32]
    /// Whether the score of a place is that of the next, too.
    private let isTied: [Bool]
    private let isPositive: [Bool]
    /// The place behind the last positive.
    private let end: Int

    /// - Precondition: as many labels as scores, and no score is NaN.
    public init(scores: [Float], labels: [Bool]) {
        precondition(scores.count == labels.count, "\(scores.count) scores, \(labels.count) labels")
        let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
        self.order = order.map(Int32.init)
        isTied = order.indices.map { $0 + 1 < order.count && scores[order[$0]] == scores[order[$0 + 1]] }
        isPositive = order.map { labels[$0] }
        end = (isPositive.lastIndex(of: true) ?? -1) + 1
    }

    /// The average precision, see ``AveragePrecision``, of the images that count.
    /// - Returns: NaN without positives.
    public func averagePrecision(of counts: [Bool]) -> Double {
        var (seen, positives, weighted) = (0, 0, 0.0)
        var positivesHere = 0
        for place in order.indices {
            // What stands behind the last positive and its equals changes nothing.
            if place >= end, positivesHere == 0 { break }
            if counts[Int(order[place])] {
                seen += 1
                if isPositive[place] { positivesHere += 1 }
            }
            if isTied[place] { continue }
            positives += positivesHere
            if positivesHere > 0 { weighted += Double(positivesHere) * Double(positives) / Double(seen) }
            positivesHere = 0
        }
        return positives > 0 ? weighted / Double(positives) : .nan
    }
}

/// How much brighter a map is on a label's pixels than elsewhere: the term of the mean score contrast (mSC) of
/// CLIP Surgery (arXiv 2304.05653).
public enum ScoreContrast {
    /// The mean of the map on the label's pixels less the mean on the rest.
    /// - Parameters:
    ///   - map: from 0 to 1.
    ///   - mask: 1 where the label is, 0 elsewhere, 255 where nothing counts.
    /// - Returns: −1…1; nil where the label is nowhere or everywhere.
    /// - Throws: ``SegmentationError``.
    public static func value(map: [Float], mask: [UInt8]) throws -> Double? {
        try SegmentationCounts.validate(map: map, mask: mask)
        var (inside, outside) = (0.0, 0.0)
        var (insideCount, outsideCount) = (0, 0)
        for (value, label) in zip(map, mask) where label != SegmentationCounts.unlabelled {
            if label == 1 {
                inside += Double(value)
                insideCount += 1
            } else {
                outside += Double(value)
                outsideCount += 1
            }
        }
        guard insideCount > 0, outsideCount > 0 else { return nil }
        return inside / Double(insideCount) - outside / Double(outsideCount)
    }
}
