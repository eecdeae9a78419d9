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
struct FirstOrderSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
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

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        evaluation = ImageSetSpec(root, .evaluation, among: choices.scenes)
        pool = PoolSpec.one(root, .pools, data: choices.data)
        textsPerHead = root.integer(.textsPerHead, in: 1...100, default: 5)
        rank = root.integer(.rank, in: 1...4096, default: 80)
        headsInTable = root.integer(.headsInTable, in: 1...1000, default: 12)
        controls = ControlsSpec(root, .controls)
    }
}
