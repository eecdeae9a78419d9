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
