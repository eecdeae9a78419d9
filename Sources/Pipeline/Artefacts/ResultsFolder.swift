import Foundation

/// A results folder that this process may write to, and no other.
///
/// Whoever holds one knows, before any work, that the folder can be written and that nobody else
/// computes into it. The right ends with the object.
public final class ResultsFolder: Sendable {
    public let url: URL
    public let store: ArtefactStore
    private let lock: ResultsLock

    /// Makes the folder where needed, checks that it can be written, waits for the lock, and
    /// removes the incomplete files that killed processes left.
    /// - Parameter waiting: called once if another process has to be waited for.
    /// - Throws: `PipelineError.cannotWrite`, `.lockHeld`, `.interrupted`.
    public init(
        _ url: URL, lockTimeout: Duration = .seconds(10),
        cancellation: Cancellation = Cancellation(),
        waiting: (ProcessIdentity?) -> Void = { _ in }
    ) throws {
        self.url = url
        store = ArtefactStore(results: url, verified: VerifiedFiles())
        do {
            try DurableFile.createFolder(store.cache)
            try DurableFile.probe(store.cache)
            try DurableFile.probe(url)
        } catch PipelineError.saveFailed(let path, let errno, _) {
            throw PipelineError.cannotWrite(path: path, errno: errno)
        }
        lock = try ResultsLock(
            folder: url, timeout: lockTimeout, cancellation: cancellation, waiting: waiting)
        try removeTemporaries()
    }

    /// Removes incomplete files that belong to nobody any more.
    ///
    /// Every writer holds the lock, but for the tasks of a cluster: while one of them is at work, they stay.
    func removeTemporaries() throws {
        try TaskLock.withoutTasks(in: url) {
            try DurableFile.removeTemporaries(in: url, recursively: false)
            try DurableFile.removeTemporaries(in: store.cache, recursively: true)
        }
    }
}
