import Pipeline

/// Multi-label recognition of arXiv 2304.05653: whether the class token ranks the images that show a label first.
struct MultiLabelExperiment: ExperimentDefinition {
    static let name = "multi-label-recognition"

    let spec: MultiLabelSpec
    private let study: PictureStudy
    private let similarities: StepHandle<LabelSimilarities>
    private let precisions: StepHandle<RecognitionPrecisions>
    private let paper: PaperTable?

    init(_ spec: MultiLabelSpec, context: ExperimentContext, graph: inout Graph) throws {
        self.spec = spec
        let withMasks =
            if case .pictures(let set, _, _) = spec.evaluation.source { set.isLabelledByMasksOnly } else { false }
        study = try PictureStudy(
            spec.setting, spec.evaluation, inputSize: spec.inputSize, withMasks: withMasks, usual: .clipSurgery85,
            context: context,
            graph: &graph)
        paper = try context.papers().table("Surgery", "multi-label recognition")
        similarities = try graph.add(LabelSimilaritiesStep(study: study, classifier: study.classifier(in: &graph)))
        precisions = try graph.add(
            RecognitionPrecisionsStep(
                model: study.model, similarities: similarities, facts: study.images.facts, seed: study.setting.seed))
    }

    var inputs: StudyInputs { study.inputs }

    func report(_ result: ExecutionResult) throws -> ExperimentReport {
        let measures = MultiLabelMeasures(
            spec: spec, images: study.images.name, classNames: study.classes.names, templates: study.classes.templates,
            isPartial: study.isPartial,
            facts: try result.artefact(study.images.facts), cosines: try result.artefact(similarities).cosines,
            precisions: try result.artefact(precisions), settings: study.settings, paper: paper)
        return ExperimentReport(
            metrics: measures.metrics(), predictions: measures.predictionSets(),
            tables: measures.tables.marked(partial: study.isPartial, images: study.images.count),
            failedControls: measures.failedControls())
    }
}

/// The spec of multi-label recognition: the keys of ``SettingSpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// input-size: 224                  # the whole picture, squashed to this square; left out: the model's size
/// controls: {accuracy-floor: 0.8}
/// ```
struct MultiLabelSpec: ExperimentSpec {
    var setting: SettingSpec
    var evaluation: ImageSetSpec
    /// Height and width of the input, in pixels.
    var inputSize: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, controls
        case inputSize = "input-size"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SettingSpec.Key.names)
        setting = SettingSpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        setting.checkClassNames(of: evaluation, root, .evaluation)
        inputSize = root.inputSize(.inputSize, of: choices.model)
        controls = ControlsSpec(root, .controls)
    }
}
