import Foundations

/// A place where steps are computed that is not this process, such as a cluster.
public protocol StepSite: Sendable {
    /// Has a step computed and its artefact committed to the store, and returns when it is.
    ///
    /// Nothing that the place says of itself is believed: the executor looks at the store.
    func complete(_ step: PendingStep) throws

    /// Called for every step that is in the store, whoever computed it and when: what the place kept for the sake of
    /// the step is of no more use.
    func forget(_ step: PendingStep)
}

/// A step of a run that computes elsewhere, as the store has it.
public struct PendingStep: Sendable {
    public let key: StepKey
    public let kind: String
    /// Kind and label.
    public let name: String
    public let memory: MemoryEstimate?
    /// Nil for a step in one piece.
    public let sharding: Sharding?

    /// What there is of a step.
    public struct Standing: Equatable, Sendable {
        /// Whether the artefact is committed.
        public let isComplete: Bool
        /// Indices of the shards that are neither there nor part of the artefact.
        public let missingShards: [Int]
    }

    private let node: StepNode
    private let store: ArtefactStore
    private let cancellation: Cancellation
    private let events: EventSink
    private let start = ContinuousClock.now

    init(_ node: StepNode, store: ArtefactStore, cancellation: Cancellation, events: EventSink) {
        key = node.key
        kind = node.kind
        name = node.name
        memory = node.memory
        sharding = node.sharding
        self.node = node
        self.store = store
        self.cancellation = cancellation
        self.events = events
    }

    /// Checks every byte against its digest; what is damaged is removed, so that it is computed again.
    /// - Throws: `PipelineError`.
    public func verify() throws -> Standing {
        let state = try store.state(of: node)
        if let file = state.damagedArtefact {
            try store.discardArtefact(node)
            events.send(.removedDamaged(file, step: name))
        }
        for (shard, file) in state.damagedShards {
            try store.discard(shard, of: node)
            events.send(.removedDamaged(file, step: name))
        }
        let isComplete = state.manifest != nil
        let shards = 0..<(isComplete ? 0 : sharding?.shardCount ?? 0)
        return Standing(isComplete: isComplete, missingShards: shards.filter { !state.finishedShards.contains($0) })
    }

    /// What the names of files promise, for a look every second.
    public func glance() -> StepCompletion { store.glance(at: node) }

    /// Tells who watches the run how far the step has come.
    /// - Parameters:
    ///   - shards: finished ones.
    ///   - former: those that were finished before the step was handed over.
    public func report(shards: Int, former: Int) {
        guard let sharding else { return }
        let units = min(sharding.units, shards * sharding.unitsPerShard)
        let seconds = (ContinuousClock.now - start).seconds
        let done = shards - former
        events.send(
            .progress(
                StepProgress(
                    step: name, shardsDone: shards, shards: sharding.shardCount, unitsDone: units,
                    units: sharding.units,
                    seconds: seconds,
                    secondsLeft: done > 0 ? seconds * Double(sharding.shardCount - shards) / Double(done) : nil)))
    }

    /// - Throws: `PipelineError.interrupted` when the run has been cancelled.
    public func checkCancellation() throws { try cancellation.check() }
}
