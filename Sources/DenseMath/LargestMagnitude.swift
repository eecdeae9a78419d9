extension Sequence where Element: FloatingPoint {
    /// The largest magnitude; NaN if any element is NaN, zero if there is none.
    ///
    /// `max` forgets a NaN that comes second, so a check built on it would pass on broken numbers.
    public func largestMagnitude() -> Element {
        reduce(0) { largest, value in
            largest.isNaN || value.isNaN ? .nan : Swift.max(largest, value.magnitude)
        }
    }
}
