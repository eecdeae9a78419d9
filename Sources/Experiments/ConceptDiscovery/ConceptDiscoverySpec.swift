import Pipeline

/// The spec of the concept-discovery experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// images: 1000                     # the first of the evaluation set
/// pools: [{name: words, source: names-and-keywords}]
/// sizes: [4, 8, 16, 32, 64, 128]   # as in sparse-text, to share its step
/// size: 64                         # phrases that describe a neuron
/// neuron-layers: [0, 1, 2, 3, 4]   # whose neurons speak
/// phrases: 10                      # that describe an image
/// ```
struct ConceptDiscoverySpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var evaluation: ImageSetSpec
    var images: Int
    var pool: PoolSpec
    var sizes: [Int]
    /// Index of the size that describes a neuron.
    var size: Int
    /// Of the layers of the study.
    var neuronLayers: [Int]
    /// Phrases that describe an image.
    var phrases: Int

    private enum Key: String, CaseIterable {
        case evaluation, images, pools, sizes, size, phrases
        case neuronLayers = "neuron-layers"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        images = root.integer(.images, in: 2...1_000_000)
        pool = PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = root.sizes(.sizes, chosen: .size)
        phrases = root.integer(.phrases, in: 1...1000, default: 10)
        neuronLayers = root.neuronLayers(.neuronLayers, of: study, choices)
    }
}

extension SpecMapping {
    /// Numbers of phrases for a neuron, ascending, and the index of the one that describes it.
    func sizes(_ key: Key, chosen: Key) -> (all: [Int], index: Int) {
        let sizes = integers(key, in: 1...4096).sorted()
        let size = integer(chosen)
        let index = sizes.firstIndex(of: size)
        check(chosen, with: key, holds: index != nil, "\(size) is none of the sizes \(sizes)")
        return (sizes, index ?? 0)
    }
}
