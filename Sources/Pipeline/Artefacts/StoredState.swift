/// A stored file that is not what its manifest says.
public struct DamagedFile: Equatable, Sendable {
    public let path: String
    public let damage: Damage
}

/// What the store has of a step, every byte checked.
struct StoredState: Sendable {
    /// Present where the artefact is complete.
    var manifest: StepManifest?
    /// Indices of the shards that are complete; of interest only while there is no artefact, or where
    /// they are it.
    var finishedShards: Set<Int> = []
    var damagedArtefact: DamagedFile?
    var damagedShards: [(shard: Shard, file: DamagedFile)] = []
    /// Time that the finished shards took.
    var shardSeconds = 0.0
}

extension ArtefactStore {
    /// Reads and verifies what there is of a step.
    /// - Throws: `PipelineError.cannotRead`.
    func state(of node: StepNode) throws -> StoredState {
        var state = StoredState()
        state.damagedArtefact = try damage {
            guard let manifest = try manifest(node) else { return }
            try verify(manifest, of: node)
            state.manifest = manifest
        }
        guard state.manifest == nil || node.work.keepsShards, let sharding = node.sharding else {
            return state
        }
        for index in 0..<sharding.shardCount {
            let shard = sharding.shard(index)
            let file = try damage {
                guard let manifest = try manifest(shard, of: node) else { return }
                try verify(manifest, of: node)
                state.finishedShards.insert(index)
                state.shardSeconds += manifest.seconds
            }
            if let file { state.damagedShards.append((shard, file)) }
        }
        // Where the shards are the result, it is not complete without one of them.
        if state.finishedShards.count < sharding.shardCount { state.manifest = nil }
        return state
    }

    private func damage(in check: () throws -> Void) throws -> DamagedFile? {
        do {
            try check()
            return nil
        } catch PipelineError.damaged(let path, let damage) {
            return DamagedFile(path: path, damage: damage)
        }
    }
}
