/// Which pixels of a map count as foreground.
public enum ForegroundRule: Sendable, Equatable {
    /// Where the map is above a constant: 0.5 in arXiv 2406.04341.
    case above(Float)
    /// Where the map is above its own mean, as in the older evaluations.
    case aboveMean

    /// The number that a pixel of this map has to exceed.
    public func threshold(of map: [Float]) -> Float {
        switch self {
        case .above(let constant): constant
        case .aboveMean: map.isEmpty ? 0 : Float(map.reduce(0.0) { $0 + Double($1) } / Double(map.count))
        }
    }
}
