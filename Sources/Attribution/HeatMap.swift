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
    public func resized(to size: Int) -> HeatMap {
        precondition(size > 0, "a map has at least one cell")
        let taps = (0..<size).map { Tap(target: $0, size: size, side: side) }
        var result = [Float](repeating: 0, count: size * size)
        for (row, y) in taps.enumerated() {
            for (column, x) in taps.enumerated() {
                let upper = mix(values[y.first * side + x.first], values[y.first * side + x.second], x.weight)
                let lower = mix(values[y.second * side + x.first], values[y.second * side + x.second], x.weight)
                result[row * size + column] = mix(upper, lower, y.weight)
            }
        }
        return HeatMap(side: size, values: result)
    }

    /// Smallest value 0, largest 1; a map without differences becomes zeros.
    public func normalised() -> HeatMap {
        guard let smallest = values.min(), let largest = values.max(), largest > smallest else {
            return HeatMap(side: side, values: [Float](repeating: 0, count: values.count))
        }
        let range = largest - smallest
        return HeatMap(side: side, values: values.map { ($0 - smallest) / range })
    }

    /// Negative values as 0.
    public func clippedAtZero() -> HeatMap { HeatMap(side: side, values: values.map { max(0, $0) }) }

    /// The two cells between whose centres a cell of the result lies, and the share of the second.
    private struct Tap {
        let first, second: Int
        let weight: Float

        init(target: Int, size: Int, side: Int) {
            let position = max(0, (Float(target) + 0.5) * Float(side) / Float(size) - 0.5)
            first = min(Int(position), side - 1)
            second = min(first + 1, side - 1)
            weight = position - Float(first)
        }
    }

    private func mix(_ a: Float, _ b: Float, _ weight: Float) -> Float { a * (1 - weight) + b * weight }
}
