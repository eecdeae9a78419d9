import Pipeline

/// Figure 3 and Table 1 of arXiv 2406.04341: what happens to zero-shot accuracy when the second-order
/// effects of one layer's neurons are replaced by their means, for every layer.
struct MeanAblationExperiment: ExperimentDefinition {
    static let name = "mean-ablation"

    let spec: MeanAblationSpec
    private let study: Study
    private let evaluation: ImageSource
    private let directions: StepHandle<FittedDirections>
    private let predictions: StepHandle<AblationPredictions>
    private let sampled: StepHandle<SampledEffects>?
    private let trust: TrustChecks
    private let paper: PaperTable?

    init(_ spec: MeanAblationSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        (study, evaluation) = try Study.evaluating(
            spec.evaluation, spec.study, isLabelled: true, context: context, graph: &graph)

        let classifier = try study.classifier(in: &graph)
        let fitted = try study.fitted(in: &graph)
        directions = fitted.directions
        predictions = try graph.add(
            AblationStep(
                study.model, layers: study.layers, images: evaluation, classifier: classifier, fitted: fitted,
                indirectLayers: spec.study.indirectLayers, seed: spec.study.seed))
        sampled = try spec.indirect.map { [study] in
            try graph.add(SampledEffectsStep(study, means: fitted.means, sample: $0))
        }
        trust = try TrustChecks(study, graph: &graph)
        paper = try context.papers().table("2nd order", "Table 1")
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = MeanAblationMeasures(
            spec: spec, layers: study.layers, classNames: study.classes.names, fitCount: study.fit.count,
            isPartial: study.isPartial, labels: try result.artefact(evaluation.facts).labels,
            predictions: try result.artefact(predictions), directions: try result.artefact(directions),
            sampled: try sampled.map { try result.artefact($0) }, trust: try trust.findings(result),
            settings: study.settings, paper: paper)
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: MeanAblationTables(measures).layouts,
            attachments: [try Attachment(Attachment.figures, json: [MeanAblationTables(measures).figure])],
            failedControls: measures.failedControls())
    }
}

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
