import Pipeline

/// The spec of open-vocabulary segmentation: the keys of ``SurgerySpec``, and
///
/// ```yaml
/// overlays: 20                     # images in the picture
/// controls: {accuracy-floor: 0.5}
/// ```
struct OpenVocabularySpec: Sendable {
    var surgery: SurgerySpec
    /// Images in the picture.
    var overlays: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case overlays, controls
    }

    /// - Parameter model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(
        _ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts
    ) throws {
        let root = try document.root(keys: Key.self, besides: SurgerySpec.keyNames)
        surgery = try SurgerySpec(document, besides: Key.names, choices: choices, model: model)
        overlays = try root.integer(.overlays, in: 1...200, default: 20)
        controls = try ControlsSpec(root, .controls)
    }
}
