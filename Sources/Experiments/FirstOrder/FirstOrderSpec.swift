import Pipeline

/// The spec of the first-order experiment: the keys of ``StudySpec``, and
///
/// ```yaml
/// evaluation: {dataset: emoji-scenes, split: val}
/// pools:
///   - {name: words, source: names-and-keywords}   # exactly one
/// texts-a-head: 5
/// rank: 80                # leading directions of a head's effects onto which texts are projected
/// heads-in-table: 12      # those with the largest variance; all are in the list
/// controls: {accuracy-floor: 0.8}
/// ```
///
/// Direct effects are those of every layer: `layers` says only for which ones the identities are checked.
struct FirstOrderSpec: Sendable {
    var study: StudySpec
    var evaluation: ImageSetSpec
    var pool: PoolSpec
    var textsPerHead: Int
    var rank: Int
    var headsInTable: Int
    var controls: ControlsSpec

    private enum Key: String, CaseIterable {
        case evaluation, pools, rank, controls
        case textsPerHead = "texts-a-head"
        case headsInTable = "heads-in-table"
    }

    /// - Throws: `SpecError`, ``ExperimentError`` for a pool's file, and what `model` throws.
    init(_ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts)
        throws
    {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        evaluation = try ImageSetSpec(root, .evaluation, among: choices.scenes)
        let pools = try PoolSpec.list(root, .pools, data: choices.data)
        guard let pool = pools.first, pools.count == 1 else {
            throw root.invalid(.pools, "heads are described with one pool, not with \(pools.count)")
        }
        self.pool = pool
        textsPerHead = try root.integer(.textsPerHead, in: 1...100, default: 5)
        rank = try root.integer(.rank, in: 1...4096, default: 80)
        headsInTable = try root.integer(.headsInTable, in: 1...1000, default: 12)
        controls = try ControlsSpec(root, .controls)
    }
}
