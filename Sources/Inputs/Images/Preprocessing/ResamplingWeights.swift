import Foundation

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

/// Pillow's filters, by its numbers.
public enum ResamplingFilter: Int, CaseIterable, Sendable {
    case nearest, lanczos, bilinear, bicubic, box, hamming

    /// Half the width of the filter in source pixels, when nothing is made smaller.
    var support: Double {
        switch self {
        case .nearest: 0
        case .box: 0.5
        case .bilinear, .hamming: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The weight of a pixel `x` from the centre. The order of the operations is Pillow's: it decides the
    /// last bit and so, now and then, a weight in fixed point.
    func weight(_ x: Double) -> Double {
        switch self {
        case .nearest: 0
        case .box: x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: max(0, 1 - abs(x))
        case .bicubic: Self.cubic(abs(x))
        case .lanczos: x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
        case .hamming: Self.hamming(abs(x))
        }
    }

    /// Keys' cubic convolution with a = −½.
    private static func cubic(_ x: Double) -> Double {
        let a = -0.5
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }

    private static func hamming(_ x: Double) -> Double {
        if x == 0 { return 1 }
        if x >= 1 { return 0 }
        let angle = x * Double.pi
        return sin(angle) / angle * (0.54 + 0.46 * cos(angle))
    }

    private static func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * Double.pi) / (x * Double.pi)
    }
}
