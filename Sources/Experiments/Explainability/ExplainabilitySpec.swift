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
struct ExplainabilitySpec: Sendable {
    var surgery: SurgerySpec
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
        /// Nil: all layers of the study.
        var layers: [Int]?
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

    /// - Parameter model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(
        _ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts
    ) throws {
        let root = try document.root(keys: Key.self, besides: SurgerySpec.keyNames + StudySpec.keyNames)
        if !root.has(.secondOrder) { try Self.checkNoStudy(document) }
        surgery = try SurgerySpec(document, besides: Key.names + StudySpec.keyNames, choices: choices, model: model)
        if let row = try root.optionalMapping(.secondOrder, keys: RowKey.self) {
            let study = try StudySpec(
                document, besides: Key.names + SurgerySpec.keyNames, choices: choices, model: model)
            let layers = try row.neuronLayers(.layers, of: study)
            let available = (layers?.count ?? study.layers?.count ?? study.facts.layers.count) * study.facts.neurons
            secondOrder = SecondOrderRow(
                study: study, neurons: try row.integer(.neurons, in: 1...available), layers: layers)
        }
        overlays = try root.integer(.overlays, in: 1...200, default: 20)
        let mapping = try root.mapping(.sensitivity, keys: SensitivityKey.self)
        sensitivity = Sensitivity(
            images: try mapping.integer(.images, in: 2...1_000_000),
            depths: try mapping.integers(.depths, in: 1...surgery.facts.blocks).sorted(),
            inputSizes: try mapping.inputSizes(.inputSizes, of: surgery.facts).sorted(),
            templates: mapping.has(.templates) ? try .init(mapping, .templates) : nil)
        controls = try ControlsSpec(root, .controls)
    }

    /// Keys of a study mean nothing without the row that is made of it.
    private static func checkNoStudy(_ document: SpecDocument) throws {
        let study = try document.root(keys: StudySpec.Key.self, besides: Key.names + SurgerySpec.keyNames)
        if let key = StudySpec.Key.allCases.first(where: study.has) {
            throw study.invalid(
                key, "only 'second-order' makes use of it; write that too, or leave '\(key.rawValue)' out")
        }
    }
}
