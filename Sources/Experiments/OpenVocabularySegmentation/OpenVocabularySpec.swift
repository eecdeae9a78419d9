import Pipeline

/// The spec of open-vocabulary segmentation: the keys of ``SurgerySpec``, and
///
/// ```yaml
/// overlays: 20                     # images in the picture
/// controls: {accuracy-floor: 0.5}
/// ```
struct OpenVocabularySpec: ExperimentSpec {
    var surgery: SurgerySpec
    var setting: SettingSpec { surgery.setting }
    /// Images in the picture.
    var overlays: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case overlays, controls
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SurgerySpec.keyNames)
        surgery = SurgerySpec(reader, besides: Key.names, choices: choices)
        overlays = root.integer(.overlays, in: 1...200, default: 20)
        controls = ControlsSpec(root, .controls)
    }
}
