import Pipeline

/// The spec of the indirect-effect experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// indirect-sample: {neurons: 64, images: 500}
/// ```
struct IndirectEffectSpec: Sendable {
    var study: StudySpec
    var sample: IndirectSample

    private enum Key: String, CaseIterable {
        case indirectSample = "indirect-sample"
    }

    /// - Throws: `SpecError`, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts) throws {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        sample = try IndirectSample(root.mapping(.indirectSample, keys: IndirectSample.Key.self), of: study)
    }
}
