import Inputs
import Pipeline

/// The evaluation of CLIP Surgery (arXiv 2304.05653): maps of the labels that images show, against their pixels, for
/// raw CLIP, every attribution method, surgery without each of its halves, and what others propose.
struct ExplainabilityExperiment: ExperimentDefinition {
    static let name = "explainability"

    let spec: ExplainabilitySpec
    private let study: PictureStudy
    private let cases: [ExplainabilityCase]
    private let scores: StepHandle<ExplainabilityScores>
    private let sensitivity: [(inputSize: Int, images: ImageSource, scores: StepHandle<ExplainabilityScores>)]
    /// Scores of surgery on the first images with the setting's sentences and with others, by the sentences' names.
    private let sentences: [(name: String, scores: StepHandle<ExplainabilityScores>)]
    private let overlays: StepHandle<StoredGallery>
    private let attention: StepHandle<AttentionWithinLabels>
    /// Where the second-order row's directions come from.
    private let lens: (study: Study, trust: TrustChecks)?

    init(_ spec: ExplainabilitySpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        let surgery = spec.surgery
        func study(_ size: Int, _ graph: inout Graph) throws -> PictureStudy {
            try PictureStudy(
                surgery.setting, surgery.evaluation, inputSize: size, withMasks: true, usual: .clipSurgery85,
                context: context,
                graph: &graph)
        }
        self.study = try study(surgery.inputSize, &graph)
        let classifier = try self.study.classifier(in: &graph)
        let empty = try self.study.emptyText(in: &graph)
        var directions: (directions: StepHandle<FittedDirections>, layers: [Int], neurons: Int)?
        if let row = spec.secondOrder {
            let fit = try Study(row.study, context: context, graph: &graph)
            directions = (try fit.fitted(in: &graph).directions, row.layers, row.neurons)
            lens = (fit, try TrustChecks(fit, graph: &graph))
        } else {
            lens = nil
        }
        func source(_ study: PictureStudy, secondOrder: Bool) -> ExplainabilityInputs {
            ExplainabilityInputs(
                study: study, classifier: classifier, empty: empty, secondOrder: secondOrder ? directions : nil)
        }
        cases = ExplainabilityCase.all(depth: surgery.depth, secondOrder: directions != nil)
        let whole = source(self.study, secondOrder: true)
        let images = self.study.images
        scores = try graph.add(
            ExplainabilityStep(source: whole, cases: cases, label: "\(surgery.inputSize) pixels", count: images.count))
        attention = try graph.add(AttentionStep(study: self.study, depth: surgery.depth))
        overlays = try graph.add(
            ExplainabilityOverlaysStep(
                source: whole, cases: cases.filter { $0 != .wholePicture }, count: min(spec.overlays, images.count)))
        sentences = try Self.sentences(spec, whole, context: context, graph: &graph)
        let depths = spec.sensitivity.depths.map { ExplainabilityCase.reading(.surgery(depth: $0)) }
        sensitivity = try spec.sensitivity.inputSizes.map { size in
            let sized = try study(size, &graph)
            return (
                size, sized.images,
                try graph.add(
                    ExplainabilityStep(
                        source: source(sized, secondOrder: false), cases: depths, label: "by depth, \(size) pixels",
                        count: min(spec.sensitivity.images, sized.images.count)))
            )
        }
    }

    /// Steps that read the first images with the setting's own sentences and with the others.
    private static func sentences(
        _ spec: ExplainabilitySpec, _ source: ExplainabilityInputs, context: ExperimentContext, graph: inout Graph
    ) throws -> [(name: String, scores: StepHandle<ExplainabilityScores>)] {
        guard let other = spec.sensitivity.templates else { return [] }
        let (study, cases) = (source.study, ExplainabilityCase.surgery(depth: spec.surgery.depth))
        let count = min(spec.sensitivity.images, study.images.count)
        let templates = try PromptSet.templates(other.url(in: context.opened.places))
        let others = ExplainabilityInputs(
            study: study,
            classifier: try graph.add(
                ClassifierStep(model: study.model, names: study.classes.names, templates: templates)),
            empty: try graph.add(ClassifierStep(model: study.model, names: [""], templates: templates)),
            secondOrder: nil)
        var own = source
        own.secondOrder = nil
        return [
            (
                ExplainabilityMeasures.ownSentences,
                try graph.add(ExplainabilityStep(source: own, cases: cases, label: "own sentences", count: count))
            ),
            (
                other.name,
                try graph.add(ExplainabilityStep(source: others, cases: cases, label: other.name, count: count))
            ),
        ]
    }

    var inputs: StudyInputs {
        var inputs = study.inputs
        if let lens { inputs.images.insert(.init("fit", lens.study.fit), at: 0) }
        return inputs
    }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = ExplainabilityMeasures(
            spec: spec, cases: cases, images: study.images.name, classNames: study.classes.names,
            templates: study.classes.templates,
            isPartial: study.isPartial,
            facts: try result.artefact(study.images.facts), scores: try result.artefact(scores),
            attention: try result.artefact(attention),
            sensitivity: try sensitivity.map { ($0.inputSize, try result.artefact($0.scores)) },
            sentences: try sentences.map { ($0.name, try result.artefact($0.scores)) },
            trust: try lens.map { try $0.trust.findings(result) })
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: ExplainabilityTables(measures).layouts.marked(partial: study.isPartial, images: study.images.count),
            attachments: [
                measures.curves, measures.pairs, measures.vocabulary,
                try Attachment(Attachment.figures, json: [measures.figure]),
            ] + (try result.artefact(overlays).attachments("overlays")), failedControls: measures.failedControls())
    }
}
