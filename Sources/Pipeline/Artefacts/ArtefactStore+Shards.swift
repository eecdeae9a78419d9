import Foundation
import Foundations

extension ArtefactStore {
    func shardsFolder(_ node: StepNode) -> OutputFolder { folder(node).folder("shards") }

    private func shardName(_ shard: Shard) -> String {
        let digits = String(shard.index)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private func manifestName(_ shard: Shard) -> String { "\(shardName(shard)).manifest.json" }

    func manifestURL(_ shard: Shard, of node: StepNode) -> URL { shardsFolder(node).file(manifestName(shard)) }

    /// The manifest of a shard, nil where there is none.
    /// - Throws: `PipelineError.damaged`.
    func manifest(_ shard: Shard, of node: StepNode) throws -> ShardManifest? {
        let url = manifestURL(shard, of: node)
        guard let manifest = try readManifest(ShardManifest.self, at: url) else { return nil }
        guard manifest.describes(shard, of: node.key) else {
            throw PipelineError.damaged(path: url.path, damage: .foreignManifest)
        }
        return manifest
    }

    /// Checks the shard's bytes against its manifest.
    /// - Throws: `PipelineError.damaged`.
    func verify(_ manifest: ShardManifest, of node: StepNode) throws {
        try verify(shardsFolder(node).file(manifest.file), sha256: manifest.sha256)
    }

    /// The result of a shard.
    /// - Throws: `PipelineError.damaged`.
    func output(_ shard: Shard, of node: StepNode) throws -> StoredArtefact {
        guard let manifest = try manifest(shard, of: node) else {
            throw PipelineError.damaged(
                path: manifestURL(shard, of: node).path, damage: .missing)
        }
        return try read(shardsFolder(node).file(manifest.file), sha256: manifest.sha256)
    }

    /// Stores the result of a shard.
    /// - Throws: `OutputError`.
    func commit(
        _ output: StoredArtefact, _ shard: Shard, of node: StepNode, seconds: Double
    ) throws {
        let file = try ArtefactFile(output)
        let name = "\(shardName(shard)).\(file.fileExtension)"
        try shardsFolder(node).write(file.bytes, as: name)
        let manifest = ShardManifest(
            key: node.key, shard: shard.index, firstUnit: shard.units.lowerBound,
            endUnit: shard.units.upperBound, file: name,
            sha256: Digest.sha256(of: file.bytes), seconds: seconds,
            attempt: ProcessIdentity.current.attempt)
        try shardsFolder(node).write(ArtefactJSON.encode(manifest), as: manifestName(shard))
    }

    /// Removes a shard, the manifest first.
    /// - Throws: `OutputError`.
    func discard(_ shard: Shard, of node: StepNode) throws {
        try shardsFolder(node).remove(manifestName(shard))
        for fileExtension in ["safetensors", "json"] {
            try shardsFolder(node).remove("\(shardName(shard)).\(fileExtension)")
        }
    }

    /// Removes all shards of a step.
    /// - Throws: `OutputError`.
    func discardShards(_ node: StepNode) throws {
        try shardsFolder(node).remove()
    }
}

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
