/// Which pixels of a side make each pixel of the resized side, and with what weights: Pillow's, in fixed
/// point, antialiased where the side becomes shorter.
struct ResamplingWeights {
    /// Bits behind the point.
    static let precision: Int32 = 32 - 8 - 2

    /// The first pixel of each sum, and how many there are.
    private(set) var starts: [Int32] = []
    private(set) var counts: [Int32] = []
    /// Weights of each sum, the rest of a row unused. // [outputs, taps]
    private(set) var weights: [Int32]
    let taps: Int

    /// - Parameters:
    ///   - side: pixels of the source, at least 1.
    ///   - resized: pixels of the whole resized side, at least 1.
    ///   - wanted: those of them that are needed.
    init(_ filter: ResamplingFilter, side: Int, resized: Int, wanted: Range<Int>) {
        if filter == .nearest {
            starts = NearestNeighbour.sources(of: side, resizedTo: resized, in: wanted).compactMap {
                $0.map { Int32($0) }
            }
            counts = starts.map { _ in 1 }
            weights = starts.map { _ in 1 << Self.precision }
            taps = 1
            return
        }
        let scale = Double(side) / Double(resized)
        let stretch = max(1, scale)
        let support = filter.support * stretch
        // No sum has more pixels than the side.
        taps = min(side, Int(support.rounded(.up)) * 2 + 1)
        weights = [Int32](repeating: 0, count: wanted.count * taps)
        var sum: [Double] = []
        for (output, index) in wanted.enumerated() {
            let centre = (Double(index) + 0.5) * scale
            let first = max(0, Int(centre - support + 0.5))
            let end = min(side, Int(centre + support + 0.5))
            sum.removeAll(keepingCapacity: true)
            var total = 0.0
            for pixel in first..<max(first, end) {
                let weight = filter.weight((Double(pixel) - centre + 0.5) * (1 / stretch))
                sum.append(weight)
                total += weight
            }
            starts.append(Int32(first))
            counts.append(Int32(sum.count))
            for (tap, weight) in sum.enumerated() {
                let share = total == 0 ? weight : weight / total
                let scaled = share * Double(1 << Self.precision)
                weights[output * taps + tap] = Int32(share < 0 ? scaled - 0.5 : scaled + 0.5)
            }
        }
    }

    /// The source pixels of all sums.
    var sources: Range<Int> {
        let ends = zip(starts, counts).map { Int($0) + Int($1) }
        return Int(starts.min() ?? 0)..<(ends.max() ?? 0)
    }

    /// The weights for a side of which the first pixels were cut off.
    func moved(by distance: Int) -> ResamplingWeights {
        var moved = self
        moved.starts = starts.map { $0 + Int32(distance) }
        return moved
    }
}
