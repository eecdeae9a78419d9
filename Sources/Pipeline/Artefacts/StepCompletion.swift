import Foundation

/// How far a step has come, by the names of its files: quick, and no proof.
public struct StepCompletion: Equatable, Sendable {
    public let key: StepKey
    public let kind: String
    /// Kind and label.
    public let name: String
    /// Whether its artefact seems to be committed.
    public let isDone: Bool
    /// All of a step that is done; 0 of a step in one piece.
    public let shardsDone: Int
    public let shards: Int
}

extension ArtefactStore {
    /// What there seems to be of each step, inputs before what depends on them; nothing is read or changed.
    public func glance(at graph: Graph) -> [StepCompletion] { graph.nodes.map(glance) }

    func glance(at node: StepNode) -> StepCompletion {
        let files = FileManager.default
        let isDone = files.fileExists(atPath: folder(node).file(StepManifest.fileName).path)
        let shards = node.sharding?.shardCount ?? 0
        var found = shards
        if !isDone {
            let names = (try? files.contentsOfDirectory(atPath: shardsFolder(node).url.path)) ?? []
            found = min(shards, names.count { $0.hasSuffix(".manifest.json") })
        }
        return StepCompletion(
            key: node.key, kind: node.kind, name: node.name, isDone: isDone, shardsDone: found, shards: shards)
    }
}
