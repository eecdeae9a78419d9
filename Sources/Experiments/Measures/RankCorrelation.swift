/// Spearman's rank correlation.
enum RankCorrelation {
    /// Ranks 1…n, ties at the mean of their places, centred and scaled to unit length, so that the
    /// correlation of two lists is their dot product; zeros where all values are equal.
    static func normalisedRanks(_ values: [Float]) -> [Float] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        let mean = Double(values.count + 1) / 2
        let length = ranks.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }.squareRoot()
        guard length > 0 else { return [Float](repeating: 0, count: values.count) }
        return ranks.map { Float(($0 - mean) / length) }
    }

    static func ofNormalised(_ first: [Float], _ second: [Float]) -> Float {
        zip(first, second).reduce(0) { $0 + $1.0 * $1.1 }
    }
}
