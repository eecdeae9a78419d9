import Pipeline

/// Open-vocabulary segmentation of arXiv 2304.05653: every pixel gets the label whose text its token is nearest to.
struct OpenVocabularyExperiment: Experiment {
    static let name = "open-vocabulary-segmentation"

    let spec: OpenVocabularySpec
    private let study: PictureStudy
    private let scores: StepHandle<OpenVocabularyScores>
    private let overlays: StepHandle<StoredGallery>
    private let paper: PaperTable?

    init(_ document: SpecDocument, context: ExperimentContext, graph: inout Graph) throws {
        spec = try OpenVocabularySpec(document, choices: .init(context), model: Study.facts(context))
        study = try PictureStudy(
            spec.surgery.setting, spec.surgery.evaluation, inputSize: spec.surgery.inputSize, withMasks: true,
            usual: .clipSurgery85, context: context, graph: &graph)
        paper = try context.papers().table("Surgery", "open-vocabulary segmentation")
        let classifier = try study.classifier(in: &graph)
        scores = try graph.add(OpenVocabularyStep(study: study, depth: spec.surgery.depth, classifier: classifier))
        overlays = try graph.add(
            OpenVocabularyOverlaysStep(
                study: study, depth: spec.surgery.depth, classifier: classifier, count: spec.overlays))
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = OpenVocabularyMeasures(
            spec: spec, images: study.images.name, classNames: study.classes.names, templates: study.classes.templates,
            isPartial: study.isPartial,
            facts: try result.artefact(study.images.facts), scores: try result.artefact(scores),
            settings: study.settings, paper: paper)
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: OpenVocabularyTables(measures).layouts.marked(partial: study.isPartial, images: study.images.count),
            attachments: [measures.list] + (try result.artefact(overlays).attachments("overlays")),
            failedControls: measures.failedControls())
    }
}
