import Pipeline

/// 95 % intervals of what is said about the variances of heads, by drawing fit images again.
///
/// Texts, directions and means stay those of all images: an interval says how a share varies with the images
/// that it is measured on, not what other images would have chosen. That a replicate's own mean would be nearer
/// to its images lowers a variance by one part in the number of images, and a share by less.
struct HeadVarianceIntervals: Sendable {
    struct Head: Sendable {
        let variance: Metric.Interval?
        /// The head's share of the variance of all heads.
        let share: Metric.Interval?
        /// Explained by the first text, the first two, ….
        let texts: [Metric.Interval?]
        let randomTexts: Metric.Interval?
        let principalDirections: Metric.Interval?
    }

    /// All heads, layer by layer.
    let heads: [Head]

    init(_ terms: HeadVarianceTerms, bootstrap: Bootstrap) {
        let shares = bootstrap.intervals(
            ofSums: terms.lengths, (0..<terms.heads).map { head in { $0[head] / $0.reduce(0, +) } })
        let images = Double(terms.images)
        let explained = 1..<terms.numbers
        heads = shares.enumerated().map { head, share in
            let intervals = bootstrap.intervals(
                ofSums: terms.rows(ofHead: head),
                [{ $0[HeadVarianceTerms.whole] / images }]
                    + explained.map { column in { $0[column] / $0[HeadVarianceTerms.whole] } })
            return Head(
                variance: intervals[HeadVarianceTerms.whole], share: share,
                texts: (1...terms.texts).map { intervals[HeadVarianceTerms.along(texts: $0)] },
                randomTexts: intervals[terms.alongRandomTexts],
                principalDirections: intervals[terms.alongPrincipalDirections])
        }
    }
}
