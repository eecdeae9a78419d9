import Attribution
import Inputs
import Pipeline

/// The keys that the specs of CLIP Surgery's experiments share: those of ``SettingSpec``, and
///
/// ```yaml
/// evaluation: {dataset: voc-2012, split: val}   # see ImageSetSpec
/// input-size: 224                  # the whole picture, squashed to this square; left out: the model's size
/// depth: 6                         # last blocks that have a second path; left out: 6, or all where there are fewer
/// ```
struct SurgerySpec: Sendable {
    var setting: SettingSpec
    var evaluation: ImageSetSpec
    /// Height and width of the input, in pixels.
    var inputSize: Int
    /// Last blocks that have a second path.
    var depth: Int
    /// What the model has.
    var facts: ModelFacts

    private enum Key: String, CaseIterable {
        case evaluation, depth
        case inputSize = "input-size"
    }

    /// All keys of such an experiment, for the rest of its spec.
    static let keyNames = Key.names + SettingSpec.Key.names

    /// - Parameters:
    ///   - others: keys that the same text has besides.
    ///   - model: looks at the model that the spec names.
    /// - Throws: `SpecError`, and what `model` throws.
    init(
        _ document: SpecDocument, besides others: [String], choices: SettingSpec.Choices,
        model: (OpenedInputs.ModelKey) throws -> ModelFacts
    ) throws {
        let root = try document.root(keys: Key.self, besides: SettingSpec.Key.names + others)
        setting = try SettingSpec(document, besides: Key.names + others, choices: choices)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        try setting.checkClassNames(of: evaluation, root, .evaluation)
        facts = try model(setting.modelKey)
        inputSize = try root.inputSize(.inputSize, of: facts)
        depth = try root.integer(.depth, in: 1...facts.blocks, default: min(Self.papersDepth, facts.blocks))
    }

    /// Last blocks with a second path in CLIP Surgery, whose towers have 12 blocks and more.
    static let papersDepth = 6
}

extension SpecMapping {
    /// The model's own size, or another that its patches fill.
    /// - Throws: `SpecError`.
    func inputSize(_ key: Key, of facts: ModelFacts) throws -> Int {
        try checked(integer(key, in: 1...4096, default: facts.imageSize), key, facts)
    }

    /// - Throws: `SpecError`.
    func inputSizes(_ key: Key, of facts: ModelFacts) throws -> [Int] {
        try integers(key, in: 1...4096).map { try checked($0, key, facts) }
    }

    private func checked(_ size: Int, _ key: Key, _ facts: ModelFacts) throws -> Int {
        guard size.isMultiple(of: facts.patchSize) else {
            throw invalid(key, "\(size) pixels cannot be cut into patches of \(facts.patchSize)")
        }
        return size
    }
}

/// With what the likeness of a token and a label is compared.
public enum LabelFeatures: String, CaseIterable, Sendable {
    /// With nothing: the cosine itself.
    case plain
    /// Feature surgery among all labels of the vocabulary.
    case amongLabels = "among-labels"
    /// Feature surgery of each label by itself, against the empty text.
    case singleText = "single-text"
}

/// What labels are chosen among is a part of a number: the names, and the sentences that they stand in.
enum VocabularyFootnote {
    static func text(_ names: [String], _ templates: [String]) -> String {
        "Vocabulary: \(names.count) names (\(names.prefix(3).joined(separator: ", ")) …) in \(templates.count) sentences (\(templates.first ?? "") …), all in …-inputs.json."
    }
}
