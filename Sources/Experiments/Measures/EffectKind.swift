import Pipeline

/// The two ways in which a neuron reaches the representation, by the names that rows have.
enum EffectKind: String, CaseIterable, Sendable {
    /// Through the attention heads of later layers, with attention held fixed.
    case secondOrder = "second-order"
    /// Through all later layers, which run again.
    case indirect

    /// The metric of what a neuron's first direction explains, a mean over neurons.
    static let shareMetric = "pc1-share"

    /// What a first direction explains a share of.
    enum Share: String, CaseIterable, Sendable {
        /// Σ‖φ − φ̄‖² over the images with the largest effects, which the direction is fitted to.
        case largest
        /// Σ‖φ − φ̄‖² over all images.
        case all
        /// The spread of the largest effects about their own mean.
        case centred = "largest-centred"
    }

    /// On what it was measured.
    enum Sample: String, Sendable {
        /// All neurons, all fit images.
        case all
        /// One sample of neurons and images for both kinds of effects.
        case equal
    }

    func subject(_ share: Share, layer: Int, _ sample: Sample) -> Subject {
        ["layer": "\(layer)", "effect": rawValue, "of": share.rawValue, "sample": sample.rawValue]
    }
}

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
