import Foundation
import Foundations

/// A results folder that this process may write to, and no other.
///
/// Whoever holds one knows, before any work, that the folder can be written and that nobody else
/// computes into it. The right ends with the object.
public final class ResultsFolder: Sendable {
    public let output: OutputFolder
    public let store: ArtefactStore
    private let lock: ResultsLock

    public var url: URL { output.url }

    /// Makes the folder where needed, checks that it can be written, waits for the lock, and
    /// removes the incomplete files that killed processes left.
    /// - Parameters:
    ///   - waiting: called once if another process has to be waited for.
    ///   - unsigned: see `ResultsLock`.
    /// - Throws: `OutputError`; `PipelineError.lockHeld`, `.interrupted`.
    public init(
        _ url: URL, lockTimeout: Duration = .seconds(10),
        cancellation: Cancellation = Cancellation(),
        waiting: (ProcessIdentity?) -> Void = { _ in }, unsigned: (ProcessIdentity) -> Void = { _ in }
    ) throws {
        output = OutputFolder(url)
        store = ArtefactStore(results: output, verified: VerifiedFiles())
        try store.cache.probe()
        try output.probe()
        lock = try ResultsLock(
            folder: output, timeout: lockTimeout, cancellation: cancellation, waiting: waiting, unsigned: unsigned)
        try removeTemporaries()
    }

    /// Removes incomplete files that belong to nobody any more.
    ///
    /// Every writer holds the lock, but for the tasks of a cluster: while one of them is at work, they stay.
    func removeTemporaries() throws {
        try TaskLock.withoutTasks(in: output) {
            try output.removeTemporaries(recursively: false)
            try store.cache.removeTemporaries(recursively: true)
        }
    }

    /// Makes sure that nobody else could compute into the folder meanwhile: before rows are saved, and at the end.
    /// - Throws: `PipelineError.lockLost`.
    public func check() throws { try lock.check() }
}
