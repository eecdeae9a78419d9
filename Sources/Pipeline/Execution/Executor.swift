import Foundation
import Foundations
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
        /// Bytes that the machine has left. Where there is no other limit, workers are left out to keep it, but for one: the
        /// estimates are no reason to refuse a run.
        public var machineMemory: Int?
        public var force: Plan.Force
        /// Whether shards stay after they have been reduced.
        public var keepsShards: Bool
        /// Speeds by which the steps' times are estimated, so that later estimates learn from how they turned out.
        public var calibration: Calibration?
        /// Computes the steps elsewhere; nil for here.
        public var site: (any StepSite)?

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
        for entry in plan.entries where options.site == nil && entry.status.isRun && workers(for: entry.node) == 0 {
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
        if options.site != nil { try folder.removeTemporaries() }
        return ExecutionResult(outcomes: outcomes, graph: graph, store: store)
    }

    func workers(for node: StepNode) -> Int {
        guard let memory = node.memory else { return options.workers }
        guard options.memoryLimit == nil else {
            return memory.workers(upTo: options.workers, within: options.memoryLimit)
        }
        return max(1, memory.workers(upTo: options.workers, within: options.machineMemory))
    }

    // MARK: Steps

    private func skip(_ entry: Plan.Entry) throws -> StepOutcome {
        // A process may have been killed between the commit of the artefact and this.
        if entry.status == .done {
            try discardReducedShards(entry.node)
            options.site?.forget(pending(entry))
        }
        return entry.outcome(entry.status == .done ? .reused : .notNeeded)
    }

    private func compute(_ entry: Plan.Entry) throws -> StepOutcome {
        let node = entry.node
        try removeUnusable(entry)
        ProcessMemory.release()
        if let site = options.site { return try compute(entry, at: site) }

        let clock = ContinuousClock()
        let start = clock.now
        let computation = StepComputation(node, of: graph, store: store, cancellation: cancellation, events: events)
        var shardsComputed = 0
        var shardSeconds = 0.0
        if node.sharding == nil {
            events.send(.started(entry, workers: 1))
        } else {
            let pending = entry.pendingShards
            let workers = min(workers(for: node), pending.count)
            events.send(.started(entry, workers: workers))
            try computation.computeShards(pending, workers: workers)
            shardsComputed = pending.count
            // The time that the others took in earlier runs.
            if entry.status != .run(.forced), !entry.state.finishedShards.isEmpty {
                shardSeconds = entry.state.shardSeconds
            }
        }
        let artefact = try computation.artefact()

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

    /// Has another place compute the step, and believes only what is in the store then.
    private func compute(_ entry: Plan.Entry, at site: any StepSite) throws -> StepOutcome {
        let start = ContinuousClock.now
        let step = pending(entry)
        // A job of an earlier submitter may have ended since the plan was made.
        if try !step.verify().isComplete {
            // What there is of an artefact is not complete, and must not look so.
            try store.discardArtefact(entry.node)
            try site.complete(step)
        }
        guard try step.verify().isComplete else { throw PipelineError.notComputed(step: entry.name, key: entry.key) }
        try discardReducedShards(entry.node)
        site.forget(step)
        return entry.outcome(
            .computed, seconds: (ContinuousClock.now - start).seconds, shardsComputed: entry.pendingShards.count)
    }

    private func pending(_ entry: Plan.Entry) -> PendingStep {
        PendingStep(entry.node, store: store, cancellation: cancellation, events: events)
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
}

extension Plan.Entry {
    /// Indices of the shards that are to be computed.
    fileprivate var pendingShards: [Int] {
        let finished = status == .run(.forced) ? [] : state.finishedShards
        return (0..<(node.sharding?.shardCount ?? 0)).filter { !finished.contains($0) }
    }

    fileprivate func outcome(
        _ status: StepOutcome.Status, seconds: Double = 0, shardsComputed: Int = 0
    ) -> StepOutcome {
        StepOutcome(
            kind: kind, label: label, key: key, status: status, seconds: seconds,
            shardsComputed: shardsComputed)
    }
}

extension Error {
    /// Whether the error says where it happened, so that the name of a step would add nothing.
    var namesItsPlace: Bool {
        switch self as any Error {
        case PipelineError.wrongArtefactForm, PipelineError.invalidArtefact: false
        case is PipelineError, is OutputError: true
        default: false
        }
    }
}
