import Inputs
import Pipeline

/// The spec of the explainability experiment: the keys of ``SurgerySpec``, and
///
/// ```yaml
/// second-order: {neurons: 100, layers: [0, 1]}  # left out: no such row, and no fit images are needed
/// fit: {dataset: emoji-scenes, split: fit}      # with the other keys of StudySpec, for that row
/// overlays: 20                                  # images in the picture
/// sensitivity: {images: 500, depths: [1, 2, 3, 4, 5, 6], input-sizes: [64, 128], templates: clip-surgery-85}
/// controls: {accuracy-floor: 0.8}
/// ```
struct ExplainabilitySpec: ExperimentSpec {
    var surgery: SurgerySpec
    var setting: SettingSpec { surgery.setting }
    var secondOrder: SecondOrderRow?
    /// Images in the picture.
    var overlays: Int
    var sensitivity: Sensitivity
    var controls: ControlsSpec

    /// What the second-order row is made of.
    struct SecondOrderRow: Sendable {
        var study: StudySpec
        /// Neurons of a map.
        var neurons: Int
        /// Of the layers of the study.
        var layers: [Int]
    }

    struct Sensitivity: Sendable {
        /// The first of the evaluation set.
        var images: Int
        var depths: [Int]
        var inputSizes: [Int]
        /// Other sentences than the setting's; nil: none are tried.
        var templates: SettingSpec.Templates?
    }

    private enum Key: String, CaseIterable {
        case overlays, sensitivity, controls
        case secondOrder = "second-order"
    }

    private enum RowKey: String, CaseIterable {
        case neurons, layers
    }

    private enum SensitivityKey: String, CaseIterable {
        case images, depths, templates
        case inputSizes = "input-sizes"
    }

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SurgerySpec.keyNames + StudySpec.keyNames)
        surgery = SurgerySpec(reader, besides: Key.names + StudySpec.keyNames, choices: choices)
        if let row = root.optionalMapping(.secondOrder, keys: RowKey.self) {
            let study = StudySpec(reader, besides: Key.names + SurgerySpec.keyNames, choices: choices)
            let layers = row.neuronLayers(.layers, of: study, choices)
            secondOrder = SecondOrderRow(
                study: study, neurons: row.integer(.neurons, in: 1...choices.model.neurons(of: layers)), layers: layers)
        } else {
            Self.checkNoStudy(reader)
        }
        overlays = root.integer(.overlays, in: 1...200, default: 20)
        let mapping = root.mapping(.sensitivity, keys: SensitivityKey.self)
        sensitivity = Sensitivity(
            images: mapping.integer(.images, in: 2...1_000_000),
            depths: mapping.integers(.depths, in: 1...choices.model.blocks).sorted(),
            inputSizes: mapping.inputSizes(.inputSizes, of: choices.model).sorted(),
            templates: mapping.has(.templates) ? .init(mapping, .templates) : nil)
        controls = ControlsSpec(root, .controls)
    }

    /// Keys of a study mean nothing without the row that is made of it.
    private static func checkNoStudy(_ reader: SpecReader) {
        let study = reader.root(keys: StudySpec.Key.self, besides: Key.names + SurgerySpec.keyNames)
        for key in StudySpec.Key.allCases where study.has(key) {
            study.fault(key, "only 'second-order' makes use of it; write that too, or leave '\(key.rawValue)' out")
        }
    }
}
