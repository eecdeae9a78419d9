/// A value of a spec, by its place.
public struct SpecPlace: Sendable {
    let path: String
    let position: SpecPosition
    /// As the keys that lead to it: `fit.sample`.
    let key: String

    /// The error that the value is well formed but not possible.
    public func invalid(_ reason: String) -> SpecError {
        SpecError(path: path, position: position, kind: .invalid(key: key, reason: reason))
    }
}
