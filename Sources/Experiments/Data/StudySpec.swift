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
    /// Nil: every layer with a later attention layer.
    var layers: [Int]?
    /// Layers for which accuracy without all neurons is measured by running the later layers again, which takes
    /// longer than everything else together; nil: all that are studied.
    var indirectLayers: [Int]?
    /// Images with the largest effects that each neuron keeps.
    var significantImages: Int
    /// What the model has.
    var facts: ModelFacts

    enum Key: String, CaseIterable {
        case fit, layers
        case indirectLayers = "indirect-layers"
        case significantImages = "significant-images"
    }

    /// All keys of a study, for the rest of its spec.
    static let keyNames = Key.names + SettingSpec.Key.names

    subscript<Value>(dynamicMember member: KeyPath<SettingSpec, Value>) -> Value { setting[keyPath: member] }

    /// - Parameters:
    ///   - others: keys that the same text has besides.
    ///   - model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(
        _ document: SpecDocument, besides others: [String], choices: SettingSpec.Choices,
        model: (OpenedInputs.ModelKey) throws -> ModelFacts
    ) throws {
        let root = try document.root(keys: Key.self, besides: SettingSpec.Key.names + others)
        setting = try SettingSpec(document, besides: Key.names + others, choices: choices)
        fit = try ImageSetSpec(root, .fit, among: choices.scenes)
        try setting.checkClassNames(of: fit, root, .fit)
        significantImages = try root.integer(.significantImages, in: 2...10_000, default: 100)
        facts = try model(setting.modelKey)
        let range = facts.layers
        guard !range.isEmpty else {
            throw root.invalid(
                .fit, "\(setting.model) has a single layer, and no neuron of it is read by a later attention layer")
        }
        layers = root.has(.layers) ? try root.layers(.layers, of: setting.model, in: range) : nil
        indirectLayers = try root.neuronLayers(.indirectLayers, of: self)
    }
}

extension SpecMapping {
    /// Layers of a model whose neurons have second-order effects.
    func layers(_ key: Key, of model: String, in range: Range<Int>) throws -> [Int] {
        let chosen = try integers(key)
        for layer in chosen where !range.contains(layer) {
            throw invalid(
                key,
                "layer \(layer) of \(model) has no later attention layer; its layers with one are \(range.lowerBound) to \(range.upperBound - 1)"
            )
        }
        return chosen
    }
}
