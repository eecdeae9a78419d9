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
    private enum Key: String, CaseIterable {
        case evaluation, depth
        case inputSize = "input-size"
    }

    /// All keys of such an experiment, for the rest of its spec.
    static let keyNames = Key.names + SettingSpec.Key.names

    /// - Parameter others: keys that the same text has besides.
    init(_ reader: SpecReader, besides others: [String], choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: SettingSpec.Key.names + others)
        setting = SettingSpec(reader, besides: Key.names + others, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        setting.checkClassNames(of: evaluation, root, .evaluation)
        inputSize = root.inputSize(.inputSize, of: choices.model)
        let blocks = choices.model.blocks
        depth = root.integer(.depth, in: 1...blocks, default: min(Self.papersDepth, blocks))
    }

    /// Last blocks with a second path in CLIP Surgery, whose towers have 12 blocks and more.
    static let papersDepth = 6
}

extension SpecMapping {
    /// The model's own size, or another that its patches fill.
    func inputSize(_ key: Key, of model: ModelFacts) -> Int {
        let size = integer(key, in: 1...4096, default: model.imageSize)
        checkSize(size, key, model)
        return size
    }

    func inputSizes(_ key: Key, of model: ModelFacts) -> [Int] {
        let sizes = integers(key, in: 1...4096)
        for size in sizes { checkSize(size, key, model) }
        return sizes
    }

    private func checkSize(_ size: Int, _ key: Key, _ model: ModelFacts) {
        check(
            key, holds: size.isMultiple(of: model.patchSize),
            "\(size) pixels cannot be cut into patches of \(model.patchSize)")
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
