import Foundation

extension ArtefactStore {
    func shardsFolder(_ node: StepNode) -> URL {
        folder(node).appendingPathComponent("shards", isDirectory: true)
    }

    private func shardName(_ shard: Shard) -> String {
        let digits = String(shard.index)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    func manifestURL(_ shard: Shard, of node: StepNode) -> URL {
        shardsFolder(node).appendingPathComponent("\(shardName(shard)).manifest.json")
    }

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
        try verify(
            shardsFolder(node).appendingPathComponent(manifest.file), sha256: manifest.sha256)
    }

    /// The result of a shard.
    /// - Throws: `PipelineError.damaged`.
    func output(_ shard: Shard, of node: StepNode) throws -> StoredArtefact {
        guard let manifest = try manifest(shard, of: node) else {
            throw PipelineError.damaged(
                path: manifestURL(shard, of: node).path, damage: .missing)
        }
        return try read(
            shardsFolder(node).appendingPathComponent(manifest.file), sha256: manifest.sha256)
    }

    /// Stores the result of a shard.
    /// - Throws: `PipelineError.saveFailed`.
    func commit(
        _ output: StoredArtefact, _ shard: Shard, of node: StepNode, seconds: Double
    ) throws {
        let file = try ArtefactFile(output)
        let url = shardsFolder(node)
            .appendingPathComponent("\(shardName(shard)).\(file.fileExtension)")
        try DurableFile.createFolder(shardsFolder(node))
        try DurableFile.write(file.bytes, to: url)
        let manifest = ShardManifest(
            key: node.key, shard: shard.index, firstUnit: shard.units.lowerBound,
            endUnit: shard.units.upperBound, file: url.lastPathComponent,
            sha256: Digest.sha256(of: file.bytes), seconds: seconds,
            attempt: ProcessIdentity.current.attempt)
        try DurableFile.write(ArtefactJSON.encode(manifest), to: manifestURL(shard, of: node))
    }

    /// Removes a shard, the manifest first.
    /// - Throws: `PipelineError.saveFailed`.
    func discard(_ shard: Shard, of node: StepNode) throws {
        try DurableFile.remove(manifestURL(shard, of: node))
        for fileExtension in ["safetensors", "json"] {
            try DurableFile.remove(
                shardsFolder(node)
                    .appendingPathComponent("\(shardName(shard)).\(fileExtension)"))
        }
    }

    /// Removes all shards of a step.
    /// - Throws: `PipelineError.saveFailed`.
    func discardShards(_ node: StepNode) throws {
        try DurableFile.removeFolder(shardsFolder(node))
    }
}
