import Dispatch
import Pipeline
import Synchronization

/// Several threads that take one piece of work after the other. Which thread gets which piece must not matter.
enum Workers {
    /// Calls `body` with each number below `count`, on up to `jobs` threads, each with a `body` of its own.
    /// - Parameters:
    ///   - finished: told how many pieces are done; one call at a time, from any thread.
    ///   - makeWorker: called by each thread that gets work.
    /// - Throws: `PipelineError.interrupted`; the error of the first piece that failed, and that of `makeWorker`.
    static func forEach(
        _ count: Int, jobs: Int, cancellation: Cancellation, finished: @escaping @Sendable (Int) -> Void = { _ in },
        makeWorker: @escaping @Sendable () throws -> (Int) throws -> Void
    ) throws {
        let next = Atomic(0)
        let state = Mutex(State())
        let group = DispatchGroup()
        for index in 0..<min(jobs, count) {
            // A serial queue each: a concurrent queue would run no more blocks than there are cores.
            DispatchQueue(label: "clip-lens.export.\(index)").async(group: group) {
                var worker: ((Int) throws -> Void)?
                while !cancellation.isCancelled, state.withLock({ $0.failure == nil }) {
                    let (piece, _) = next.add(1, ordering: .relaxed)
                    guard piece < count else { return }
                    do {
                        let body = try worker ?? makeWorker()
                        worker = body
                        try body(piece)
                        state.withLock { state in
                            state.done += 1
                            finished(state.done)
                        }
                    } catch {
                        state.withLock { state in
                            if piece < state.failure?.piece ?? .max { state.failure = (piece, error) }
                        }
                    }
                }
            }
        }
        group.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure.error }
        try cancellation.check()
    }

    private struct State {
        var done = 0
        var failure: (piece: Int, error: any Error)?
    }
}
