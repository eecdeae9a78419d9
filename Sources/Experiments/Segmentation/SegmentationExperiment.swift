import Pipeline

/// Table 4 of arXiv 2406.04341: heat maps of the predicted class against masks, for the neurons of the
/// second-order lens and seven methods from before, and how the table depends on its settings.
struct SegmentationExperiment: ExperimentDefinition {
    static let name = "segmentation"

    let spec: SegmentationSpec
    private let study: Study
    private let images: ImageSource
    private let scores: StepHandle<SegmentationScores>
    private let sensitivity: StepHandle<SegmentationScores>
    private let overlays: StepHandle<StoredGallery>
    private let trust: TrustChecks
    private let paper: PaperTable?

    init(_ spec: SegmentationSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        (study, images) = try Study.evaluating(
            spec.evaluation, spec.study, masks: spec.maskGeometry, context: context, graph: &graph)
        let classifier = try study.classifier(in: &graph)
        let directions = try study.fitted(in: &graph).directions
        let (model, layers) = (study.model, spec.neuronLayers)
        scores = try graph.add(
            SegmentationStep(
                model: model, images: images, classifier: classifier, directions: directions, spec: spec, layers: layers
            ))
        var first = images
        first.count = min(spec.sensitivity.images, images.count)
        sensitivity = try graph.add(
            SensitivityStep(
                model: model, images: first, classifier: classifier, directions: directions,
                grid: SensitivityGrid(spec, layers: study.layers), layers: study.layers))
        overlays = try graph.add(
            SegmentationOverlaysStep(
                model: model, images: images, classifier: classifier, directions: directions, spec: spec,
                layers: layers,
                names: study.classes.names))
        trust = try TrustChecks(study, graph: &graph)
        paper = try context.papers().table("2nd order", "Table 4")
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = SegmentationMeasures(
            spec: spec, layers: study.layers, classNames: study.classes.names, isPartial: study.isPartial,
            labels: try result.artefact(images.facts).labels, scores: try result.artefact(scores),
            sensitivity: try result.artefact(sensitivity), trust: try trust.findings(result), settings: study.settings,
            paper: paper)
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: SegmentationTables(measures).layouts.marked(partial: study.isPartial, images: images.count),
            attachments: [measures.list] + (try result.artefact(overlays).attachments("overlays")),
            failedControls: measures.failedControls())
    }
}
