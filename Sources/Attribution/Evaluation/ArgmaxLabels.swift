import CLIPModel
import DenseMath

/// Segmentation among labels: at every pixel the label of the largest similarity.
public enum ArgmaxLabels {
    /// Similarities are resized bilinearly from the patches to pixels, as ``HeatMap/resized(to:)`` does it, and the first
    /// of the largest wins.
    /// - Parameters:
    ///   - similarities: of all tokens. // [T, K]
    ///   - labels: the columns to choose among; not empty.
    ///   - size: rows and columns of the result.
    /// - Returns: columns of `similarities`. // [size · size]
    public static func of(
        _ similarities: Tensor, _ layout: TokenLayout, among labels: [Int], size: Int
    ) -> [Int32] {
        let (side, all, count) = (layout.side, similarities.shape[1], labels.count)
        precondition(similarities.shape[0] == layout.count && count > 0, "similarities of all tokens, and a label")
        let taps = BilinearTap.taps(from: side, to: size)
        let chosen = similarities.elements.withUnsafeBufferPointer { values in
            layout.patchRows.flatMap { row in labels.map { values[row * all + $0] } }
        }
        var row = [Float](repeating: 0, count: side * count)
        var result = [Int32](repeating: 0, count: size * size)
        // Pixels that lie between the same two patches.
        let stretches = taps.indices.chunked { taps[$0].first == taps[$1].first && taps[$0].second == taps[$1].second }
        var candidates: [Int] = []
        chosen.withUnsafeBufferPointer { chosen in
            for (y, vertical) in taps.enumerated() {
                let (upper, lower) = (vertical.first * side * count, vertical.second * side * count)
                for i in 0..<side * count { row[i] = vertical.mix(chosen[upper + i], chosen[lower + i]) }
                row.withUnsafeBufferPointer { row in
                    for stretch in stretches {
                        let (left, right) = (
                            taps[stretch.lowerBound].first * count, taps[stretch.lowerBound].second * count
                        )
                        keepCandidates(row, left, right, count: count, in: &candidates)
                        for x in stretch {
                            var (best, largest) = (0, -Float.infinity)
                            for label in candidates {
                                let value = taps[x].mix(row[left + label], row[right + label])
                                if value > largest { (best, largest) = (label, value) }
                            }
                            result[y * size + x] = Int32(labels[best])
                        }
                    }
                }
            }
        }
        return result
    }

    /// The labels that can be the largest somewhere between two patches: of some label both values are at least a bound,
    /// and so is what it has in between; a label of which neither reaches that bound is nowhere the largest.
    private static func keepCandidates(
        _ row: UnsafeBufferPointer<Float>, _ left: Int, _ right: Int, count: Int, in candidates: inout [Int]
    ) {
        var bound = -Float.infinity
        for label in 0..<count {
            let smaller = min(row[left + label], row[right + label])
            if smaller > bound { bound = smaller }
        }
        // Mixtures are rounded.
        bound -= 8 * abs(bound).ulp
        candidates.removeAll(keepingCapacity: true)
        for label in 0..<count where max(row[left + label], row[right + label]) >= bound { candidates.append(label) }
    }
}

extension Range<Int> {
    /// Runs of neighbours that belong together.
    fileprivate func chunked(_ belong: (Int, Int) -> Bool) -> [Range<Int>] {
        reduce(into: []) { runs, index in
            if let last = runs.last, belong(index - 1, index) {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
    }
}
