import Pipeline

/// The spec of the mean-ablation experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// indirect-sample: {neurons: 64, images: 500}   # and layers: [9], where not all are wanted
/// table-layer: 9                                 # of Table 1; left out: the one whose ablation costs most
/// controls: {accuracy-floor: 0.8}
/// ```
struct MeanAblationSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
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

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        indirect = root.has(.indirectSample) ? EffectSample(root, .indirectSample, of: study, choices) : nil
        tableLayer = root.optionalInteger(.tableLayer)
        root.check(
            .tableLayer, holds: tableLayer.map(study.layers.contains) != false,
            "layer \(tableLayer ?? 0) is none of the layers that the spec studies")
        controls = ControlsSpec(root, .controls)
    }
}
