import Attribution
import Inputs
import Pipeline

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
struct SegmentationSpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetSpec
    /// Neurons that make a map.
    var neurons: Int
    /// Nil: all layers of the study.
    var neuronLayers: [Int]?
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
            "neuron-layers": SensitivityGrid.name(neuronLayers ?? study.layers ?? Array(study.facts.layers)),
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

    /// - Throws: `SpecError`, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        neuronLayers = try root.neuronLayers(.neuronLayers, of: study)
        let available = (neuronLayers?.count ?? study.layers?.count ?? study.facts.layers.count) * study.facts.neurons
        neurons = try root.integer(.neurons, in: 1...available)
        threshold = try root.double(.threshold, in: 0...1, default: 0.5)
        maskGeometry = try root.choice(.maskGeometry, default: .aligned)
        clipsTextSpan = try root.bool(.textSpanClipping, default: true)
        overlays = try root.integer(.overlays, in: 1...200, default: 20)
        controls = try ControlsSpec(root, .controls)
        let mapping = try root.mapping(.sensitivity, keys: SensitivityKey.self)
        sensitivity = Sensitivity(
            images: try mapping.integer(.images, in: 2...1_000_000),
            neurons: try mapping.integers(.neurons, in: 1...study.facts.neurons).sorted(),
            thresholds: try mapping.doubles(.thresholds, in: 0...1).sorted())
    }
}
