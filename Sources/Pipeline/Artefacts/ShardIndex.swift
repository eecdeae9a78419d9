import Foundation

/// What a step made by `Work.shards` stores as its artefact: which files are its result.
struct ShardIndex: Codable, Sendable {
    struct File: Codable, Sendable {
        var file: String
        var sha256: String
    }

    /// In the order of the shards.
    var shards: [File]
}

extension ArtefactStore {
    /// The index of the finished shards of a step.
    /// - Throws: `PipelineError.damaged` where a shard is missing.
    func index(of node: StepNode, _ sharding: Sharding) throws -> StoredArtefact {
        let shards = try (0..<sharding.shardCount).map { index in
            let shard = sharding.shard(index)
            guard let manifest = try manifest(shard, of: node) else {
                throw PipelineError.damaged(path: manifestURL(shard, of: node).path, damage: .missing)
            }
            return ShardIndex.File(file: manifest.file, sha256: manifest.sha256)
        }
        return .json(try ArtefactJSON.encode(ShardIndex(shards: shards)))
    }

    /// The shards that an index lists.
    /// - Throws: `PipelineError.wrongArtefactForm`, `.invalidArtefact`, `DecodingError`.
    func shards(of node: StepNode, index: StoredArtefact) throws -> StoredShards {
        guard let sharding = node.sharding, case .json(let data) = index else {
            throw PipelineError.wrongArtefactForm(wanted: "json")
        }
        let files = try ArtefactJSON.decode(ShardIndex.self, from: data).shards
        guard files.count == sharding.shardCount else {
            throw PipelineError.invalidArtefact(
                part: "shards", reason: "\(files.count) of \(sharding.shardCount)")
        }
        let folder = shardsFolder(node)
        return StoredShards(sharding: sharding) { [self] shard in
            let file = files[shard.index]
            return try read(folder.file(file.file), sha256: file.sha256)
        }
    }
}
