import Pipeline

/// The spec of the mean-ablation experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// indirect-sample: {neurons: 64, images: 500}
/// controls: {accuracy-floor: 0.8}
/// ```
struct MeanAblationSpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetName
    var indirect: IndirectSample?
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, controls
        case indirectSample = "indirect-sample"
    }

    /// - Parameter limits: of a model of this name.
    /// - Throws: `SpecError`, and what `limits` throws.
    init(_ document: SpecDocument, choices: StudySpec.Choices, limits: (String) throws -> StudySpec.Limits) throws {
        let (root, shared) = try document.root(keys: Key.self, sharing: StudySpec.Key.self)
        study = try StudySpec(shared, choices: choices, limits: limits)
        evaluation = try ImageSetName(root, .evaluation, among: choices.datasets)
        indirect = try IndirectSample(root, .indirectSample, limits: study.limits)
        controls = try ControlsSpec(root, .controls)
    }
}
