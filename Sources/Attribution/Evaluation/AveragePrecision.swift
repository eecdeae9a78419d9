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
