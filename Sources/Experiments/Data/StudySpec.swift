import Inputs
import Pipeline

/// The keys that the specs of all experiments on neurons share: those of ``SettingSpec``, and
///
/// ```yaml
/// fit: {dataset: emoji-scenes, split: fit}   # see ImageSetSpec
/// layers: [0, 1, 2, 3, 4]          # left out: every layer with a later attention layer
/// indirect-layers: [4]             # without whose neurons the later layers run again; left out: all
/// significant-images: 100          # the images with the largest effects that each neuron keeps
/// ```
///
/// The setting's members are read as if they were the study's own.
@dynamicMemberLookup
struct StudySpec: Sendable {
    var setting: SettingSpec
    /// The images from which means, thresholds and directions are estimated.
    var fit: ImageSetSpec
    /// Layers with a later attention layer.
    var layers: [Int]
    /// Layers for which accuracy without all neurons is measured by running the later layers again, which takes
    /// longer than everything else together.
    var indirectLayers: [Int]
    /// Images with the largest effects that each neuron keeps.
    var significantImages: Int

    enum Key: String, CaseIterable {
        case fit, layers
        case indirectLayers = "indirect-layers"
        case significantImages = "significant-images"
    }

    /// All keys of a study, for the rest of its spec.
    static let keyNames = Key.names + SettingSpec.Key.names

    subscript<Value>(dynamicMember member: KeyPath<SettingSpec, Value>) -> Value { setting[keyPath: member] }

    /// - Parameter others: keys that the same text has besides.
    init(_ reader: SpecReader, besides others: [String], choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SettingSpec.Key.names + others)
        setting = SettingSpec(reader, besides: Key.names + others, choices: choices)
        fit = ImageSetSpec(root, .fit, among: choices.scenes)
        setting.checkClassNames(of: fit, root, .fit)
        significantImages = root.integer(.significantImages, in: 2...10_000, default: 100)
        let all = choices.model.layers
        root.check(
            .fit, holds: !all.isEmpty,
            "\(setting.model) has a single layer, and no neuron of it is read by a later attention layer")
        layers = root.layers(.layers, of: setting.model, in: all)
        indirectLayers = []
        indirectLayers = root.neuronLayers(.indirectLayers, of: self, choices)
    }
}

extension SpecMapping {
    /// Layers of a model whose neurons have second-order effects; all of them where the key is left out, or in the place of
    /// a faulty list.
    func layers(_ key: Key, of model: String, in range: Range<Int>) -> [Int] {
        guard has(key) else { return Array(range) }
        let chosen = integers(key)
        let other = chosen.first { !range.contains($0) }
        check(
            key, holds: other == nil || range.isEmpty,
            "layer \(other ?? 0) of \(model) has no later attention layer; its layers with one are \(range.lowerBound) to \(range.upperBound - 1)"
        )
        return isSound(key) ? chosen : Array(range)
    }

    /// Some of the layers that are studied; all of them where the key is left out, or in the place of a faulty list.
    func neuronLayers(_ key: Key, of study: StudySpec, _ choices: SpecChoices) -> [Int] {
        guard has(key) else { return study.layers }
        let chosen = layers(key, of: study.model, in: choices.model.layers)
        let other = chosen.first { !study.layers.contains($0) }
        check(
            key, holds: other == nil,
            "layer \(other ?? 0) is none of the layers \(study.layers) that the spec studies")
        return isSound(key) ? chosen : study.layers
    }
}

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
