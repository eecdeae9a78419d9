/// Where a cell of a resized row comes from: the two cells between whose centres it lies, and the share of the second.
///
/// The convention is that of PyTorch's `interpolate(mode="bilinear", align_corners=False)`: beyond the outermost
/// centres their values go on, and nothing is smoothed when a row shrinks.
public struct BilinearTap: Sendable, Equatable {
    public let first: Int
    public let second: Int
    public let weight: Float

    /// The taps of all cells of a row that is resized.
    /// - Precondition: both sizes are positive.
    public static func taps(from side: Int, to size: Int) -> [BilinearTap] {
        precondition(side > 0 && size > 0, "a row has at least one cell")
        return (0..<size).map { target in
            let position = max(0, (Float(target) + 0.5) * Float(side) / Float(size) - 0.5)
            let first = min(Int(position), side - 1)
            return BilinearTap(first: first, second: min(first + 1, side - 1), weight: position - Float(first))
        }
    }

    /// The mixture of the values of the two cells.
    @inline(__always)
    public func mix(_ first: Float, _ second: Float) -> Float { first * (1 - weight) + second * weight }
}
