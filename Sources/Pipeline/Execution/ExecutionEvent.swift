import Synchronization

/// What happens during a run, for whoever shows progress.
public enum ExecutionEvent: Sendable {
    /// The plan that is about to be carried out.
    case planned(Plan)
    /// A stored file was damaged; it has been removed and will be computed again.
    case removedDamaged(DamagedFile, step: String)
    case started(Plan.Entry, workers: Int)
    case progress(StepProgress)
    case finished(StepOutcome)
}

/// How far a step over shards has come.
public struct StepProgress: Sendable {
    public let step: String
    public let shardsDone: Int
    public let shards: Int
    /// Units (images) done, those of earlier attempts included.
    public let unitsDone: Int
    public let units: Int
    /// Time since the step started in this run.
    public let seconds: Double
    /// Time left at the rate of this run; nil before the first shard of this run is finished.
    public let secondsLeft: Double?
}

/// How a step ended.
public struct StepOutcome: Equatable, Sendable {
    public enum Status: String, Codable, Sendable {
        /// Computed in this run, or completed from the shards of an earlier one.
        case computed
        /// Found in the store.
        case reused
        /// Neither there nor asked for.
        case notNeeded = "not_needed"
    }

    public let kind: String
    public let label: String
    public let key: StepKey
    public let status: Status
    /// Time the step took in this run.
    public let seconds: Double
    /// Shards computed in this run.
    public let shardsComputed: Int
}

/// Passes events on, one at a time, from whichever thread they come.
final class EventSink: Sendable {
    private let turn = Mutex(())
    private let observer: @Sendable (ExecutionEvent) -> Void

    init(_ observer: @escaping @Sendable (ExecutionEvent) -> Void) {
        self.observer = observer
    }

    func send(_ event: ExecutionEvent) {
        turn.withLock { _ in observer(event) }
    }
}

/// A finished run.
public struct ExecutionResult: Sendable {
    /// How each step ended, in the order of the graph.
    public let outcomes: [StepOutcome]

    let graph: Graph
    let store: ArtefactStore

    /// Whether nothing had to be computed.
    public var isReused: Bool { outcomes.allSatisfy { $0.status != .computed } }

    /// The artefact of a step.
    /// - Throws: `PipelineError.notComputed` for one that was not needed, `.damaged`, and what
    ///   reading the artefact throws.
    public func artefact<Output: Artefact>(_ handle: StepHandle<Output>) throws -> Output {
        guard let node = graph.node(handle.key) else {
            throw PipelineError.notComputed(step: handle.name, key: handle.key)
        }
        return try Output(store.artefact(node))
    }
}

/// A wish to stop, set from anywhere (a signal's handler included) and looked at between shards.
public final class Cancellation: Sendable {
    private let flag = Atomic(false)

    public init() {}

    /// Asks to stop. A single atomic store: safe in a signal handler.
    public func cancel() {
        flag.store(true, ordering: .relaxed)
    }

    public var isCancelled: Bool {
        flag.load(ordering: .relaxed)
    }

    /// - Throws: `PipelineError.interrupted` once `cancel` has been called.
    public func check() throws {
        if isCancelled { throw PipelineError.interrupted }
    }
}
