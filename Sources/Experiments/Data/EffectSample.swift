import Pipeline

/// The neurons and images on which second-order and indirect effects of single neurons are compared, as an indirect effect
/// takes the rest of the network once more for every image: `indirect-sample:` of a spec.
struct EffectSample: Sendable {
    /// Neurons of each layer, chosen by the seed.
    var neurons: Int
    /// The first images of the fit set.
    var images: Int
    /// Of the layers of the study.
    var layers: [Int]

    private enum Key: String, CaseIterable {
        case neurons, images, layers
    }

    init<Root>(_ root: SpecMapping<Root>, _ key: Root, of study: StudySpec, _ choices: SpecChoices) {
        let mapping = root.mapping(key, keys: Key.self)
        neurons = mapping.integer(.neurons, in: 1...choices.model.neurons)
        images = mapping.integer(.images, in: 2...1_000_000)
        layers = mapping.neuronLayers(.layers, of: study, choices)
    }
}
