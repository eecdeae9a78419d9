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
struct SparseTextSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
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

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        sizes = root.integers(.sizes, in: 1...4096).sorted()
        pools = PoolSpec.list(root, .pools, data: choices.data)
        let randomNames = pools.map(\.randomName)
        for other in pools where randomNames.contains(other.name) {
            root.check(
                .pools, holds: false, "'\(other.name)' is what the random vectors beside another pool are called")
        }
        heldOutImages = root.integer(.heldOutImages, in: 2...1_000_000)
        controls = ControlsSpec(root, .controls)
        let mapping = root.mapping(.description, keys: DescriptionKey.self)
        let pool = mapping.string(.pool, among: pools.map(\.name))
        let size = mapping.integer(.size)
        let index = sizes.firstIndex(of: size)
        if root.isSound(.sizes) {
            mapping.check(.size, holds: index != nil, "\(size) is none of the sizes \(sizes)")
        }
        description = Description(
            pool: pools.firstIndex { $0.name == pool } ?? 0, size: index ?? 0,
            neurons: mapping.integer(.neurons, in: 1...1000, default: 12))
    }
}
