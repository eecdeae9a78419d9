import Synchronization

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
