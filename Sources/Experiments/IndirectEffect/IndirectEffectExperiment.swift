import DenseMath
import Lens
import Pipeline

/// The comparison behind Table 1 of arXiv 2406.04341, neuron by neuron and on equal samples: how far the first principal
/// direction explains a neuron's second-order and indirect effects, how few images hold them, and whether the two directions
/// are the same, or whether the indirect one is what the neuron writes at the class token itself.
struct IndirectEffectExperiment: ExperimentDefinition {
    static let name = "indirect-effect"

    let spec: IndirectEffectSpec
    private let study: Study
    private let directions: StepHandle<FittedDirections>
    private let totals: StepHandle<EffectTotals>
    private let sampled: StepHandle<SampledEffects>
    private let direct: StepHandle<NeuronDirectDirections>
    private let trust: TrustChecks

    init(_ spec: IndirectEffectSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        study = try Study(spec.study, context: context, graph: &graph)
        let fitted = try study.fitted(in: &graph)
        directions = fitted.directions
        totals = try graph.add(EffectTotalsStep(study.model, layers: study.layers, images: study.fit, fitted: fitted))
        sampled = try graph.add(SampledEffectsStep(study, means: fitted.means, sample: spec.sample))
        direct = try graph.add(NeuronDirectDirectionsStep(model: study.model, layers: study.layers))
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = IndirectEffectMeasures(
            spec: spec, layers: spec.sample.layers, isPartial: study.isPartial,
            fitCount: study.fit.count,
            directions: try result.artefact(directions), totals: try result.artefact(totals),
            sampled: try result.artefact(sampled),
            direct: try result.artefact(direct), trust: try trust.findings(result))
        return ExperimentReport(
            metrics: measures.metrics(), predictions: [],
            tables: IndirectEffectTables(measures).layouts.marked(partial: study.isPartial, images: study.fit.count),
            attachments: [measures.list, try Attachment(Attachment.figures, json: measures.figures)],
            failedControls: measures.trust.failedControls())
    }
}

/// The spec of the indirect-effect experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// indirect-sample: {neurons: 64, images: 500}   # on which both kinds of effects are compared
/// gap: 0.95                                      # of σ₂/σ₁, above which a neuron has no first direction
/// ```
struct IndirectEffectSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var sample: EffectSample
    /// Largest σ₂/σ₁ of a neuron with a first direction.
    var gap: Double

    private enum Key: String, CaseIterable {
        case gap
        case indirectSample = "indirect-sample"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        gap = root.double(.gap, in: 0...1, default: PrincipalDirections.usualGap)
        sample = EffectSample(root, .indirectSample, of: study, choices)
    }
}

/// The direction that every neuron writes at the class token directly, by layer.
typealias NeuronDirectDirections = ByLayer<DirectDirections>

struct DirectDirections: ColumnSet, Equatable {
    /// Unit rows. // [N, d]
    var directions = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("directions", \.directions, of: "neurons")]
}

/// Reads ``NeuronDirectDirections`` off the weights.
struct NeuronDirectDirectionsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]

    func step() throws -> Step<NeuronDirectDirections> {
        Step(
            kind: "neuron-direct-directions", version: 2, parameters: ["layers": .integers(layers)],
            digests: ["model": model.digest],
            work: .single { _ in
                let (vision, paths) = (try model.clip.value().vision, try model.paths.value())
                return NeuronDirectDirections(
                    layers: layers.reduce(into: [:]) {
                        $0[$1] = DirectDirections(directions: paths.directDirections(layer: $1, of: vision))
                    })
            })
    }
}
