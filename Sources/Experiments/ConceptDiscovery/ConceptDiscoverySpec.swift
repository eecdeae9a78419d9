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
struct ConceptDiscoverySpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetSpec
    var images: Int
    var pool: PoolSpec
    var sizes: [Int]
    /// Index of the size that describes a neuron.
    var size: Int
    /// Nil: all layers of the study.
    var neuronLayers: [Int]?
    /// Phrases that describe an image.
    var phrases: Int

    private enum Key: String, CaseIterable {
        case evaluation, images, pools, sizes, size, phrases
        case neuronLayers = "neuron-layers"
    }

    /// - Throws: `SpecError`, ``ExperimentError`` for a pool's file, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        images = try root.integer(.images, in: 2...1_000_000)
        pool = try PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = try root.sizes(.sizes, chosen: .size)
        phrases = try root.integer(.phrases, in: 1...1000, default: 10)
        neuronLayers = try root.neuronLayers(.neuronLayers, of: study)
    }
}

extension SpecMapping {
    /// Numbers of phrases for a neuron, ascending, and the index of the one that describes it.
    /// - Throws: `SpecError`.
    func sizes(_ key: Key, chosen: Key) throws -> (all: [Int], index: Int) {
        let sizes = try integers(key, in: 1...4096).sorted()
        let size = try integer(chosen)
        guard let index = sizes.firstIndex(of: size) else {
            throw invalid(chosen, "\(size) is none of the sizes \(sizes)")
        }
        return (sizes, index)
    }

    /// Some of the layers that are studied; nil where the key is left out, which means all.
    /// - Throws: `SpecError`.
    func neuronLayers(_ key: Key, of study: StudySpec) throws -> [Int]? {
        guard has(key) else { return nil }
        let chosen = try layers(key, of: study.model, in: study.facts.layers)
        if let studied = study.layers, let other = chosen.first(where: { !studied.contains($0) }) {
            throw invalid(key, "layer \(other) is none of the layers \(studied) that the spec studies")
        }
        return chosen
    }
}
