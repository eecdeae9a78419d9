import Pipeline

/// The spec of multi-label recognition: the keys of ``SettingSpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// input-size: 224                  # the whole picture, squashed to this square; left out: the model's size
/// controls: {accuracy-floor: 0.8}
/// ```
struct MultiLabelSpec: Sendable {
    var setting: SettingSpec
    var evaluation: ImageSetSpec
    /// Height and width of the input, in pixels.
    var inputSize: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, controls
        case inputSize = "input-size"
    }

    /// - Parameter model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(
        _ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts
    ) throws {
        let root = try document.root(keys: Key.self, besides: SettingSpec.Key.names)
        setting = try SettingSpec(document, besides: Key.names, choices: choices)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        try setting.checkClassNames(of: evaluation, root, .evaluation)
        inputSize = try root.inputSize(.inputSize, of: model(setting.modelKey))
        controls = try ControlsSpec(root, .controls)
    }
}
