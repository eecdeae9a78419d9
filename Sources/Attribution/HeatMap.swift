import DenseMath

/// Scores on a square grid: patches of the image, or its pixels for LRP.
public struct HeatMap: Equatable, Sendable {
    /// Rows, and columns.
    public let side: Int
    /// // [side, side]
    public let values: [Float]

    /// - Precondition: `values` fills the square.
    public init(side: Int, values: [Float]) {
        precondition(side > 0 && values.count == side * side, "\(values.count) values do not fill a square of \(side)")
        self.side = side
        self.values = values
    }

    /// Bilinear interpolation between the centres of the cells; outside the outermost centres their values go on.
    ///
    /// The same as PyTorch's `interpolate(mode="bilinear", align_corners=False)`: no smoothing when a map shrinks.
    /// - Parameter size: rows and columns of the result, positive.
    public func resized(to size: Int) -> HeatMap { HeatMap(side: size, values: resized(width: size, height: size)) }

    /// The same for an image that was squashed to the square. // [height, width]
    public func resized(width: Int, height: Int) -> [Float] {
        let (columns, rows) = (BilinearTap.taps(from: side, to: width), BilinearTap.taps(from: side, to: height))
        var result: [Float] = []
        result.reserveCapacity(width * height)
        for y in rows {
            for x in columns {
                let upper = x.mix(values[y.first * side + x.first], values[y.first * side + x.second])
                let lower = x.mix(values[y.second * side + x.first], values[y.second * side + x.second])
                result.append(y.mix(upper, lower))
            }
        }
        return result
    }

    /// Smallest value 0, largest 1; a map without differences becomes zeros.
    public func normalised() -> HeatMap {
        guard let smallest = values.min(), let largest = values.max(), largest > smallest else {
            return HeatMap(side: side, values: [Float](repeating: 0, count: values.count))
        }
        let range = largest - smallest
        return HeatMap(side: side, values: values.map { ($0 - smallest) / range })
    }

    /// Whether it tells no place from another: one value everywhere, or values that are not finite.
    public var isConstant: Bool {
        guard let first = values.first, values.allSatisfy(\.isFinite) else { return true }
        return values.allSatisfy { $0 == first }
    }

    /// Negative values as 0.
    public func clippedAtZero() -> HeatMap { HeatMap(side: side, values: values.map { max(0, $0) }) }
}
