import DenseMath

/// How far two vectors are apart, as a share of the length of the expected one.
public func relativeError(_ found: some Sequence<Float>, _ expected: some Sequence<Double>) -> Double {
    var (difference, length) = (0.0, 0.0)
    for (a, b) in zip(found, expected) {
        difference += (Double(a) - b) * (Double(a) - b)
        length += b * b
    }
    return length > 0 ? (difference / length).squareRoot() : difference.squareRoot()
}

/// The largest absolute difference.
public func largestError(_ found: some Sequence<Float>, _ expected: some Sequence<Float>) -> Float {
    zip(found, expected).map { $0 - $1 }.largestMagnitude()
}
