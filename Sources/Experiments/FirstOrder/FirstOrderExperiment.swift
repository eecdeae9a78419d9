import Pipeline

/// Figures 11 and 12 of arXiv 2406.04341: zero-shot accuracy when the direct effects of more and more
/// attention layers are replaced by their means, MLPs for comparison; and the texts that span what each
/// attention head writes (TextSpan, arXiv 2310.05916).
struct FirstOrderExperiment: ExperimentDefinition {
    static let name = "first-order"

    let spec: FirstOrderSpec
    private let study: Study
    private let evaluation: ImageSource
    private let pool: StepHandle<StoredTextPool>
    private let predictions: StepHandle<FirstOrderPredictions>
    private let spans: StepHandle<TextSpans>
    private let terms: StepHandle<HeadVarianceTerms>
    private let trust: TrustChecks

    init(_ spec: FirstOrderSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        (study, evaluation) = try Study.evaluating(
            spec.evaluation, spec.study, isLabelled: true, context: context, graph: &graph)
        let classifier = try study.classifier(in: &graph)
        let model = study.model
        let effects = try graph.add(DirectEffectsStep(model: model, images: study.fit))
        predictions = try graph.add(
            FirstOrderPredictionsStep(model: model, images: evaluation, classifier: classifier, effects: effects))
        pool = try graph.add(TextPoolStep(study, spec.pool, needed: spec.textsPerHead))
        spans = try graph.add(
            TextSpansStep(
                model: model, effects: effects, pool: pool, count: spec.textsPerHead, rank: spec.rank,
                seed: spec.study.seed))
        terms = try graph.add(
            HeadVarianceTermsStep(
                model: model, images: study.fit, effects: effects, spans: spans, count: spec.textsPerHead))
        trust = try TrustChecks(study, graph: &graph)
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = FirstOrderMeasures(
            spec: spec, heads: study.model.configuration.vision.heads, classNames: study.classes.names,
            isPartial: study.isPartial, fitCount: study.fit.count, labels: try result.artefact(evaluation.facts).labels,
            predictions: try result.artefact(predictions), phrases: try result.artefact(pool).pool.phrases,
            spans: try result.artefact(spans),
            intervals: HeadVarianceIntervals(
                try result.artefact(terms),
                bootstrap: MetricBuilder(Self.name, spec.study.setting, isPartial: study.isPartial).bootstrap()),
            trust: try trust.findings(result))
        let texts = HeadTexts(measures)
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: (FirstOrderTables(measures).layouts + [texts.table]).marked(
                partial: study.isPartial, images: evaluation.count),
            attachments: [texts.list, try Attachment(Attachment.figures, json: [FirstOrderTables(measures).figure])],
            failedControls: measures.failedControls())
    }
}

/// The spec of the first-order experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// pools:
///   - {name: words, source: names-and-keywords}   # exactly one
/// texts-a-head: 5
/// rank: 80                # leading directions of a head's effects onto which texts are projected
/// heads-in-table: 12      # those with the largest variance; all are in the list
/// controls: {accuracy-floor: 0.8}
/// ```
///
/// Direct effects are those of every layer: `layers` says only for which ones the identities are checked.
struct FirstOrderSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var evaluation: ImageSetSpec
    var pool: PoolSpec
    var textsPerHead: Int
    var rank: Int
    var headsInTable: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, pools, rank, controls
        case textsPerHead = "texts-a-head"
        case headsInTable = "heads-in-table"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        pool = PoolSpec.one(root, .pools, data: choices.data)
        textsPerHead = root.integer(.textsPerHead, in: 1...100, default: 5)
        rank = root.integer(.rank, in: 1...4096, default: 80)
        headsInTable = root.integer(.headsInTable, in: 1...1000, default: 12)
        controls = ControlsSpec(root, .controls)
    }
}
