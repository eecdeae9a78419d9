import Pipeline

/// Open-vocabulary segmentation of arXiv 2304.05653: every pixel gets the label whose text its token is nearest to.
struct OpenVocabularyExperiment: ExperimentDefinition {
    static let name = "open-vocabulary-segmentation"

    let spec: OpenVocabularySpec
    private let study: PictureStudy
    private let scores: StepHandle<OpenVocabularyScores>
    private let overlays: StepHandle<StoredGallery>
    private let paper: PaperTable?

    init(_ spec: OpenVocabularySpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
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

/// Segmentation among labels, by reading and by what each pixel chooses among.
struct OpenVocabularyTables {
    let measures: OpenVocabularyMeasures

    init(_ measures: OpenVocabularyMeasures) { self.measures = measures }

    var layouts: [TableLayout] {
        let (surgery, names) = (measures.spec.surgery, measures.classNames)
        return [
            TableLayout(
                title: "Open-vocabulary segmentation (%): each labelled pixel gets the label of the largest similarity",
                rowHeader: "tokens",
                columns: [
                    .init("mIoU", group: "all \(names.count) labels"),
                    .init("paper", group: "all \(names.count) labels"),
                    .init("pixel accuracy", group: "all \(names.count) labels"),
                    .init("mIoU", group: "labels shown, where several"),
                    .init("pixel accuracy", group: "labels shown, where several"),
                ],
                rows: OpenVocabularyCase.readings(depth: surgery.depth).map { reading in
                    let all = OpenVocabularyMeasures.subject(.init(reading: reading, choice: .all))
                    let shown = OpenVocabularyMeasures.subject(.init(reading: reading, choice: .shown))
                    return .init(
                        reading.title,
                        [
                            .init("mean-iou", all), .init("mean-iou", all, .paper), .init("pixel-accuracy", all),
                            .init("mean-iou", shown), .init("pixel-accuracy", shown),
                        ])
                },
                footnotes: [
                    "mIoU: the mean, over the labels that the masks show, of intersection over union of all images' pixels together. Pixels that show none of the labels do not count; no threshold, no feature surgery.",
                    "\(VocabularyFootnote.text(names, measures.templates)) Surgery in the last \(surgery.depth) blocks; whole pictures in \(surgery.inputSize) × \(surgery.inputSize) pixels.",
                    "arXiv 2304.05653, ViT-B/16: Pascal Context 29.3 (MaskCLIP, there without the MLP, 22.4), COCO-Stuff 21.9 (15.3), Cityscapes 31.4 (22.7). \(measures.comparability.map { "paper: \($0)." } ?? "It has no number for these pictures.")",
                ])
        ]
    }
}

/// The spec of open-vocabulary segmentation: the keys of ``SurgerySpec``, and
///
/// ```yaml
/// overlays: 20                     # images in the picture
/// controls: {accuracy-floor: 0.5}
/// ```
struct OpenVocabularySpec: ExperimentSpec {
    var surgery: SurgerySpec
    var setting: SettingSpec { surgery.setting }
    /// Images in the picture.
    var overlays: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case overlays, controls
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SurgerySpec.keyNames)
        surgery = SurgerySpec(reader, besides: Key.names, choices: choices)
        overlays = root.integer(.overlays, in: 1...200, default: 20)
        controls = ControlsSpec(root, .controls)
    }
}
