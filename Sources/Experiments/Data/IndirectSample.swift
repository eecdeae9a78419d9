import Pipeline

/// The neurons and images from which indirect effects of single neurons are estimated, as each of
/// them takes the rest of the network once more for every image.
struct IndirectSample: Sendable {
    /// Neurons of each layer, chosen by the seed.
    var neurons: Int
    /// The first images of the fit set.
    var images: Int

    enum Key: String, CaseIterable {
        case neurons, images
    }

    /// Nil where the spec has no such key.
    /// - Throws: `SpecError`.
    init?<Root>(_ root: SpecMapping<Root>, _ key: Root, limits: StudySpec.Limits) throws {
        guard let mapping = try root.optionalMapping(key, keys: Key.self) else { return nil }
        try self.init(mapping, limits: limits)
    }

    /// - Throws: `SpecError`.
    init(_ mapping: SpecMapping<Key>, limits: StudySpec.Limits) throws {
        neurons = try mapping.integer(.neurons, in: 1...limits.neurons)
        images = try mapping.integer(.images, in: 2...1_000_000)
    }
}
