import Lens
import Pipeline

/// The spec of the indirect-effect experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// indirect-sample: {neurons: 64, images: 500}   # on which both kinds of effects are compared
/// gap: 0.95                                      # of σ₂/σ₁, above which a neuron has no first direction
/// ```
struct IndirectEffectSpec: Sendable {
    var study: StudySpec
    var sample: EffectSample
    /// Largest σ₂/σ₁ of a neuron with a first direction.
    var gap: Double

    private enum Key: String, CaseIterable {
        case gap
        case indirectSample = "indirect-sample"
    }

    /// - Throws: `SpecError`, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        gap = try root.double(.gap, in: 0...1, default: PrincipalDirections.usualGap)
        sample = try EffectSample(root.mapping(.indirectSample, keys: EffectSample.Key.self), of: study)
    }
}
