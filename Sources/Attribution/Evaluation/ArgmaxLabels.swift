import DenseMath

/// Segmentation among labels: at every pixel the label of the largest similarity.
public enum ArgmaxLabels {
    /// Similarities are resized bilinearly from the patches to pixels, as ``HeatMap/resized(to:)`` does it, and the first
    /// of the largest wins.
    /// - Parameters:
    ///   - similarities: of the class token, which is left out, and of the patches. // [1 + side², K]
    ///   - labels: the columns to choose among; not empty.
    ///   - size: rows and columns of the result.
    /// - Returns: columns of `similarities`. // [size · size]
    public static func of(_ similarities: Tensor, among labels: [Int], size: Int) -> [Int32] {
        let (patches, all, count) = (similarities.shape[0] - 1, similarities.shape[1], labels.count)
        let side = Int(Double(patches).squareRoot().rounded())
        precondition(side * side == patches && count > 0, "\(patches) patches make no square, or there is no label")
        let taps = BilinearTap.taps(from: side, to: size)
        let chosen = similarities.elements.withUnsafeBufferPointer { values in
            (0..<patches).flatMap { patch in labels.map { values[(1 + patch) * all + $0] } }
        }
        var row = [Float](repeating: 0, count: side * count)
        var result = [Int32](repeating: 0, count: size * size)
        chosen.withUnsafeBufferPointer { chosen in
            for (y, vertical) in taps.enumerated() {
                let (upper, lower) = (vertical.first * side * count, vertical.second * side * count)
                for i in 0..<side * count { row[i] = vertical.mix(chosen[upper + i], chosen[lower + i]) }
                row.withUnsafeBufferPointer { row in
                    for (x, horizontal) in taps.enumerated() {
                        let (left, right) = (horizontal.first * count, horizontal.second * count)
                        var (best, largest) = (0, -Float.infinity)
                        for label in 0..<count {
                            let value = horizontal.mix(row[left + label], row[right + label])
                            if value > largest { (best, largest) = (label, value) }
                        }
                        result[y * size + x] = Int32(labels[best])
                    }
                }
            }
        }
        return result
    }
}
