import Attribution
import Inputs
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

/// The spec of the segmentation experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: seg}
/// neurons: 50                        # with the largest |⟨r_n, text(c)⟩|
/// neuron-layers: [0, 1, 2]           # among these layers
/// threshold: 0.5                     # foreground where a map, from 0 to 1, exceeds it
/// mask-geometry: aligned             # or squashed: as the public loader has it
/// textspan-clipping: true            # negative values of TextSpan's map count as 0, as released code has it
/// overlays: 20                       # scenes in the picture
/// sensitivity:
///   images: 500                      # the first of the evaluation set
///   neurons: [10, 50, 200]
///   thresholds: [0.3, 0.5, 0.7]
/// controls: {accuracy-floor: 0.8}
/// ```
struct SegmentationSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var evaluation: ImageSetSpec
    /// Neurons that make a map.
    var neurons: Int
    /// Of the layers of the study.
    var neuronLayers: [Int]
    /// Foreground is where a map, from 0 to 1, exceeds it: 0.5 in the paper.
    var threshold: Double
    var maskGeometry: MaskGeometry
    /// Whether negative values of TextSpan's map count as 0.
    var clipsTextSpan: Bool
    /// Scenes in the picture.
    var overlays: Int
    var sensitivity: Sensitivity
    var controls: ControlsSpec

    struct Sensitivity: Sendable {
        /// The first of the evaluation set.
        var images: Int
        var neurons: [Int]
        var thresholds: [Double]
    }

    /// The foreground rules by the names that rows have: the spec's threshold, then the older rule.
    var rules: [(name: String, rule: ForegroundRule)] {
        [(thresholdName, .above(Float(threshold))), ("> mean", .aboveMean)]
    }

    var thresholdName: String { "> \(threshold)" }

    /// What decides the table besides what decides a study, by the names that papers' files use.
    var settings: [String: String] {
        [
            "neurons": "\(neurons)",
            "neuron-layers": SensitivityGrid.name(neuronLayers),
            "threshold": "\(threshold)", "masks": maskGeometry.rawValue, "textspan-clipping": "\(clipsTextSpan)",
        ]
    }

    private enum Key: String, CaseIterable {
        case evaluation, neurons, threshold, overlays, sensitivity, controls
        case neuronLayers = "neuron-layers"
        case maskGeometry = "mask-geometry"
        case textSpanClipping = "textspan-clipping"
    }

    private enum SensitivityKey: String, CaseIterable {
        case images, neurons, thresholds
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        neuronLayers = root.neuronLayers(.neuronLayers, of: study, choices)
        neurons = root.integer(.neurons, in: 1...choices.model.neurons(of: neuronLayers))
        threshold = root.double(.threshold, in: 0...1, default: 0.5)
        maskGeometry = root.choice(.maskGeometry, default: .aligned)
        clipsTextSpan = root.bool(.textSpanClipping, default: true)
        overlays = root.integer(.overlays, in: 1...200, default: 20)
        controls = ControlsSpec(root, .controls)
        let mapping = root.mapping(.sensitivity, keys: SensitivityKey.self)
        sensitivity = Sensitivity(
            images: mapping.integer(.images, in: 2...1_000_000),
            neurons: mapping.integers(.neurons, in: 1...choices.model.neurons).sorted(),
            thresholds: mapping.doubles(.thresholds, in: 0...1).sorted())
    }
}
