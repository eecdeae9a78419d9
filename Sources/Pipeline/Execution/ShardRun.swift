import Dispatch
import Foundations
import Synchronization

/// Computes the pending shards of one step on several workers.
///
/// Each worker takes the next shard when it has stored its last. A failure or a cancellation stops
/// the taking; shards that have started are finished and stored.
final class ShardRun: Sendable {
    private let node: StepNode
    private let sharding: Sharding
    private let pending: [Int]
    private let store: ArtefactStore
    private let cancellation: Cancellation
    private let events: EventSink

    private let next = Atomic(0)
    private let progress: Mutex<Progress>
    private let start = ContinuousClock.now

    private struct Progress {
        var shardsDone: Int
        var unitsDone: Int
        let unitsAtStart: Int
        /// Errors by the shard in which they happened.
        var failures: [(shard: Int, error: any Error)] = []
    }

    init(
        node: StepNode, sharding: Sharding, pending: [Int], store: ArtefactStore,
        cancellation: Cancellation, events: EventSink
    ) {
        self.node = node
        self.sharding = sharding
        self.pending = pending
        self.store = store
        self.cancellation = cancellation
        self.events = events
        let unitsLeft = pending.reduce(0) { $0 + sharding.shard($1).units.count }
        progress = Mutex(
            Progress(
                shardsDone: sharding.shardCount - pending.count,
                unitsDone: sharding.units - unitsLeft,
                unitsAtStart: sharding.units - unitsLeft))
    }

    /// - Throws: `PipelineError`, `OutputError`: that of the first shard, where several failed.
    func compute(
        workers: Int, inputs: StepInputs,
        makeWorker: @escaping @Sendable (StepInputs) throws -> ((Shard) throws -> StoredArtefact)
    ) throws {
        let group = DispatchGroup()
        for index in 0..<workers {
            // A serial queue each: a concurrent queue would run no more blocks than there are cores.
            DispatchQueue(label: "clip-lens.worker.\(index)").async(group: group) {
                self.work(inputs, makeWorker)
            }
        }
        group.wait()

        let failures = progress.withLock { $0.failures }
        if let first = failures.min(by: { $0.shard < $1.shard }) { throw first.error }
        try cancellation.check()
    }

    private func work(
        _ inputs: StepInputs,
        _ makeWorker: (StepInputs) throws -> ((Shard) throws -> StoredArtefact)
    ) {
        var worker: ((Shard) throws -> StoredArtefact)?
        while let shard = takeShard() {
            do {
                let start = ContinuousClock.now
                let body = try worker ?? makeWorker(inputs)
                worker = body
                let output = try body(shard)
                try store.commit(
                    output, shard, of: node, seconds: (ContinuousClock.now - start).seconds)
                finished(shard)
            } catch  where error.namesItsPlace {
                failed(shard, error)
            } catch {
                failed(shard, PipelineError.shardFailed(step: node.name, shard: shard, underlying: error))
            }
        }
    }

    private func takeShard() -> Shard? {
        guard !cancellation.isCancelled, progress.withLock({ $0.failures.isEmpty }) else {
            return nil
        }
        let (position, _) = next.add(1, ordering: .relaxed)
        return position < pending.count ? sharding.shard(pending[position]) : nil
    }

    private func failed(_ shard: Shard, _ error: any Error) {
        progress.withLock { $0.failures.append((shard.index, error)) }
    }

    private func finished(_ shard: Shard) {
        // Sent within the lock, so that the numbers an observer sees only ever grow.
        progress.withLock { progress in
            progress.shardsDone += 1
            progress.unitsDone += shard.units.count
            let seconds = (ContinuousClock.now - start).seconds
            let done = progress.unitsDone - progress.unitsAtStart
            let left = sharding.units - progress.unitsDone
            events.send(
                .progress(
                    StepProgress(
                        step: node.name, shardsDone: progress.shardsDone,
                        shards: sharding.shardCount, unitsDone: progress.unitsDone,
                        units: sharding.units, seconds: seconds,
                        secondsLeft: done > 0 ? seconds * Double(left) / Double(done) : nil)))
        }
    }
}
