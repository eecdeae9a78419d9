import Pipeline

/// The spec of the sparse-text experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// pools:
///   - {name: words, source: names-and-keywords}
///   - {name: captions, source: captions}
/// sizes: [4, 8, 16, 32, 64, 128]
/// description: {pool: words, size: 16, neurons: 12}   # what the table of neurons shows
/// held-out-images: 1000                               # for faithfulness: the first of the evaluation set
/// controls: {accuracy-floor: 0.8}
/// ```
struct SparseTextSpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetSpec
    var pools: [PoolSpec]
    var sizes: [Int]
    var description: Description
    var heldOutImages: Int
    var controls: ControlsSpec

    struct Description: Sendable {
        /// Index of its pool.
        var pool: Int
        /// Index of its size.
        var size: Int
        /// Neurons in the printed table.
        var neurons: Int
    }

    private enum Key: String, CaseIterable {
        case evaluation, pools, sizes, description, controls
        case heldOutImages = "held-out-images"
    }

    private enum DescriptionKey: String, CaseIterable {
        case pool, size, neurons
    }

    /// - Throws: `SpecError`, ``ExperimentError`` for a pool's file, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        sizes = try root.integers(.sizes, in: 1...4096).sorted()
        pools = try PoolSpec.list(root, .pools, data: choices.data)
        let randomNames = pools.map(\.randomName)
        if let other = pools.first(where: { randomNames.contains($0.name) }) {
            throw root.invalid(.pools, "'\(other.name)' is what the random vectors beside another pool are called")
        }
        heldOutImages = try root.integer(.heldOutImages, in: 2...1_000_000)
        controls = try ControlsSpec(root, .controls)
        let mapping = try root.mapping(.description, keys: DescriptionKey.self)
        let pool = try mapping.string(.pool, among: pools.map(\.name))
        let size = try mapping.integer(.size)
        guard let sizeIndex = sizes.firstIndex(of: size) else {
            throw mapping.invalid(.size, "\(size) is none of the sizes \(sizes)")
        }
        description = Description(
            pool: pools.firstIndex { $0.name == pool } ?? 0, size: sizeIndex,
            neurons: try mapping.integer(.neurons, in: 1...1000, default: 12))
    }
}
