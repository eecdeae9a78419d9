import Pipeline

/// The spec of the mean-ablation experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// indirect-sample: {neurons: 64, images: 500}   # and layers: [9], where not all are wanted
/// table-layer: 9                                 # of Table 1; left out: the one whose ablation costs most
/// controls: {accuracy-floor: 0.8}
/// ```
struct MeanAblationSpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetSpec
    var indirect: EffectSample?
    /// The layer of Table 1; nil: the one whose ablation costs most.
    var tableLayer: Int?
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, controls
        case indirectSample = "indirect-sample"
        case tableLayer = "table-layer"
    }

    /// - Parameter model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        indirect = try EffectSample(root, .indirectSample, of: study)
        tableLayer = try root.optionalInteger(.tableLayer)
        let studied = study.layers ?? Array(study.facts.layers)
        if let tableLayer, !studied.contains(tableLayer) {
            throw root.invalid(.tableLayer, "layer \(tableLayer) is none of the layers that the spec studies")
        }
        controls = try ControlsSpec(root, .controls)
    }
}
