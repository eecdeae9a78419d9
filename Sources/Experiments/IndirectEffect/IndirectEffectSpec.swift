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

    /// - Throws: `SpecError`, and what `limits` throws.
    init(_ document: SpecDocument, choices: StudySpec.Choices, limits: (OpenedInputs.ModelKey) throws -> StudySpec.Limits) throws {
        let (root, shared) = try document.root(keys: Key.self, sharing: StudySpec.Key.self)
        study = try StudySpec(shared, choices: choices, limits: limits)
        sample = try IndirectSample(root.mapping(.indirectSample, keys: IndirectSample.Key.self), of: study)
    }
}
