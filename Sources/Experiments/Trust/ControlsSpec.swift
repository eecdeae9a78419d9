import Pipeline

/// The `controls:` of a spec: what must hold before its numbers are believed.
struct ControlsSpec: Sendable {
    /// Zero-shot accuracy below which nothing is believed, 0…1.
    var accuracyFloor: Double

    private enum Key: String, CaseIterable {
        case accuracyFloor = "accuracy-floor"
    }

    /// - Throws: `SpecError`.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root) throws {
        accuracyFloor = try root.mapping(key, keys: Key.self).double(.accuracyFloor, in: 0...1)
    }
}
