import Pipeline

/// The neurons and images on which second-order and indirect effects of single neurons are compared, as an indirect effect
/// takes the rest of the network once more for every image: `indirect-sample:` of a spec.
struct EffectSample: Sendable {
    /// Neurons of each layer, chosen by the seed.
    var neurons: Int
    /// The first images of the fit set.
    var images: Int
    /// Nil: all layers of the study.
    var layers: [Int]?

    enum Key: String, CaseIterable {
        case neurons, images, layers
    }

    /// Nil where the spec has no such key.
    /// - Throws: `SpecError`.
    init?<Root>(_ root: SpecMapping<Root>, _ key: Root, of study: StudySpec) throws {
        guard let mapping = try root.optionalMapping(key, keys: Key.self) else { return nil }
        try self.init(mapping, of: study)
    }

    /// - Throws: `SpecError`.
    init(_ mapping: SpecMapping<Key>, of study: StudySpec) throws {
        neurons = try mapping.integer(.neurons, in: 1...study.facts.neurons)
        images = try mapping.integer(.images, in: 2...1_000_000)
        layers = try mapping.neuronLayers(.layers, of: study)
    }
}
