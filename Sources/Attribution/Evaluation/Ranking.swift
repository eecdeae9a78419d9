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
