import Foundation
import Synchronization

/// Carries out a graph: steps one after the other, the shards of a step on several workers.
///
/// ```swift
/// let folder = try ResultsFolder(url, lockTimeout: .seconds(10))
/// let executor = Executor(graph, in: folder, options: options, cancellation: cancellation) {
///     progress.show($0)
/// }
/// let result = try executor.run()
/// let table = try result.artefact(tableStep)
/// ```
public struct Executor: Sendable {
    public struct Options: Sendable {
        /// Workers over the shards of a step.
        public var workers: Int
        /// Bytes that the steps may take by their own estimates; workers are left out to keep it.
        public var memoryLimit: Int?
        public var force: Plan.Force
        /// Whether shards stay after they have been reduced.
        public var keepsShards: Bool
        /// Speeds by which the steps' times are estimated, so that later estimates learn from how they turned out.
        public var calibration: Calibration?

        public init(
            workers: Int = ProcessInfo.processInfo.activeProcessorCount, memoryLimit: Int? = nil,
            force: Plan.Force = .nothing, keepsShards: Bool = false, calibration: Calibration? = nil
        ) {
            self.workers = max(1, workers)
            self.memoryLimit = memoryLimit
            self.force = force
            self.keepsShards = keepsShards
            self.calibration = calibration
        }
    }

    let graph: Graph
    let folder: ResultsFolder
    let options: Options
    let cancellation: Cancellation
    let events: EventSink

    var store: ArtefactStore { folder.store }

    /// - Parameter observer: gets the events of the run: one at a time, on any thread.
    public init(
        _ graph: Graph, in folder: ResultsFolder, options: Options = Options(),
        cancellation: Cancellation = Cancellation(),
        observer: @escaping @Sendable (ExecutionEvent) -> Void = { _ in }
    ) {
        self.graph = graph
        self.folder = folder
        self.options = options
        self.cancellation = cancellation
        events = EventSink(observer)
    }

    /// Computes what is missing.
    /// - Throws: `PipelineError`. What was finished before the error is kept, and is not computed
    ///   again by the next run.
    @discardableResult
    public func run() throws -> ExecutionResult {
        let plan = try Plan(graph, store: store, force: options.force)
        events.send(.planned(plan))
        for entry in plan.entries where entry.status.isRun && workers(for: entry.node) == 0 {
            let memory = entry.memory ?? MemoryEstimate(shared: 0, perWorker: 0)
            throw PipelineError.memoryLimitTooSmall(
                step: entry.name, needed: memory.bytes(workers: 1),
                limit: options.memoryLimit ?? .max)
        }
        var outcomes: [StepOutcome] = []
        for entry in plan.entries {
            try cancellation.check()
            let outcome = try entry.status.isRun ? compute(entry) : skip(entry)
            events.send(.finished(outcome))
            outcomes.append(outcome)
        }
        return ExecutionResult(outcomes: outcomes, graph: graph, store: store)
    }

    func workers(for node: StepNode) -> Int {
        node.memory?.workers(upTo: options.workers, within: options.memoryLimit) ?? options.workers
    }

    // MARK: Steps

    private func skip(_ entry: Plan.Entry) throws -> StepOutcome {
        // A process may have been killed between the commit of the artefact and this.
        if entry.status == .done { try discardReducedShards(entry.node) }
        return entry.outcome(entry.status == .done ? .reused : .notNeeded)
    }

    private func compute(_ entry: Plan.Entry) throws -> StepOutcome {
        let node = entry.node
        try removeUnusable(entry)
        let inputs = Inputs(
            step: node.name, declared: node.inputs.map(\.key), cancellation: cancellation
        ) { [graph, store] key in
            guard let input = graph.node(key) else {
                throw PipelineError.danglingInput(step: node.name, input: key.digest)
            }
            return try store.artefact(input)
        }

        let clock = ContinuousClock()
        let start = clock.now
        var shardsComputed = 0
        var shardSeconds = 0.0
        let artefact: StoredArtefact
        switch node.work {
        case .map(let sharding, let makeWorker, let reduce):
            (shardsComputed, shardSeconds) = try computeShards(entry, sharding, inputs, makeWorker)
            artefact = try attributed(to: node) {
                try reduce(inputs) { try store.output($0, of: node) }
            }
        case .shards(let sharding, let makeWorker, let check):
            (shardsComputed, shardSeconds) = try computeShards(entry, sharding, inputs, makeWorker)
            artefact = try store.index(of: node, sharding)
            try attributed(to: node) { try check(store.shards(of: node, index: artefact)) }
        case .single(let body):
            events.send(.started(entry, workers: 1))
            artefact = try attributed(to: node) { try body(inputs) }
        }

        let seconds = (clock.now - start).seconds
        try store.commit(
            artefact, of: node, seconds: seconds + shardSeconds,
            estimate: shardSeconds == 0 ? estimate(of: node) : nil)
        try discardReducedShards(node)
        return entry.outcome(.computed, seconds: seconds, shardsComputed: shardsComputed)
    }

    /// Seconds that the whole step would take by its operations alone.
    private func estimate(of node: StepNode) -> Double? {
        guard let calibration = options.calibration else { return nil }
        return node.cost?.seconds(
            units: node.sharding?.units ?? 1, of: node.sharding, workers: workers(for: node), calibration)
    }

    /// Computes the shards that are missing.
    /// - Returns: how many those were, and the time that the others took in earlier runs.
    private func computeShards(
        _ entry: Plan.Entry, _ sharding: Sharding, _ inputs: Inputs,
        _ makeWorker: @escaping @Sendable (Inputs) throws -> ((Shard) throws -> StoredArtefact)
    ) throws -> (computed: Int, formerSeconds: Double) {
        let finished = entry.status == .run(.forced) ? [] : entry.state.finishedShards
        let pending = (0..<sharding.shardCount).filter { !finished.contains($0) }
        let workers = min(workers(for: entry.node), pending.count)
        events.send(.started(entry, workers: workers))
        let run = ShardRun(
            node: entry.node, sharding: sharding, pending: pending, store: store,
            cancellation: cancellation, events: events)
        try run.compute(workers: workers, inputs: inputs, makeWorker: makeWorker)
        return (pending.count, finished.isEmpty ? 0 : entry.state.shardSeconds)
    }

    /// Removes the shards of a finished step, unless they are wanted or are its result.
    private func discardReducedShards(_ node: StepNode) throws {
        if !options.keepsShards, !node.work.keepsShards { try store.discardShards(node) }
    }

    /// Removes what must not be taken for a result: damaged files, and everything when forced.
    private func removeUnusable(_ entry: Plan.Entry) throws {
        if entry.status == .run(.forced) {
            try store.discardArtefact(entry.node)
            try store.discardShards(entry.node)
        } else {
            if !entry.damagedFiles.isEmpty { try store.discardArtefact(entry.node) }
            for (shard, _) in entry.state.damagedShards { try store.discard(shard, of: entry.node) }
        }
        for file in entry.damagedFiles {
            events.send(.removedDamaged(file, step: entry.name))
        }
    }

    private func attributed<Value>(to node: StepNode, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as PipelineError where error.namesItsPlace {
            throw error
        } catch {
            throw PipelineError.stepFailed(step: node.name, underlying: error)
        }
    }
}

extension Plan.Entry {
    fileprivate func outcome(
        _ status: StepOutcome.Status, seconds: Double = 0, shardsComputed: Int = 0
    ) -> StepOutcome {
        StepOutcome(
            kind: kind, label: label, key: key, status: status, seconds: seconds,
            shardsComputed: shardsComputed)
    }
}

extension PipelineError {
    /// Whether the error says where it happened, so that the name of a step would add nothing.
    var namesItsPlace: Bool {
        switch self {
        case .wrongArtefactForm, .invalidArtefact: false
        default: true
        }
    }
}

extension Duration {
    /// The duration in seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
