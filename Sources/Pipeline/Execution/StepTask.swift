import Foundation
import Foundations

/// What one process of a cluster does of a run: some shards of one step, or the end of the step.
///
/// It works beside other tasks and beside whoever holds the folder. Two copies of one task at once do the same twice.
public struct StepTask: Sendable {
    private let node: StepNode
    private let graph: Graph
    private let store: ArtefactStore
    private let cancellation: Cancellation
    private let lock: TaskLock

    /// - Throws: `PipelineError.stepNotInGraph` where the graph has no such step, `.interrupted`; `OutputError`.
    public init(_ graph: Graph, step: String, results: URL, cancellation: Cancellation = Cancellation()) throws {
        guard let node = graph.nodes.first(where: { $0.key.digest == step }) else {
            throw PipelineError.stepNotInGraph(key: step)
        }
        self.node = node
        self.graph = graph
        self.cancellation = cancellation
        store = ArtefactStore(results: results)
        lock = try TaskLock(folder: store.results, cancellation: cancellation)
    }

    /// Computes those of some shards that are not there.
    /// - Throws: `PipelineError`.
    public func computeShards(_ indices: ClosedRange<Int>, workers: Int) throws {
        let state = try store.state(of: node)
        guard state.manifest == nil, let sharding = node.sharding else { return }
        let pending = (0..<sharding.shardCount).filter { indices.contains($0) && !state.finishedShards.contains($0) }
        guard !pending.isEmpty else { return }
        try computation.computeShards(pending, workers: min(workers, pending.count))
    }

    /// Makes and commits the artefact, unless a shard is missing.
    /// - Returns: the missing shards.
    /// - Throws: `PipelineError`.
    public func finish() throws -> [Int] {
        let start = ContinuousClock.now
        let state = try store.state(of: node)
        if state.manifest != nil { return [] }
        let missing = (0..<(node.sharding?.shardCount ?? 0)).filter { !state.finishedShards.contains($0) }
        guard missing.isEmpty else { return missing }
        let artefact = try computation.artefact()
        try store.commit(
            artefact, of: node, seconds: (ContinuousClock.now - start).seconds + state.shardSeconds, estimate: nil)
        return []
    }

    private var computation: StepComputation {
        StepComputation(node, of: graph, store: store, cancellation: cancellation, events: EventSink { _ in })
    }
}
