import Foundation

/// The right to compute into a results folder, which one process has at a time.
///
/// The lock is the kernel's (`flock`): it ends with its owner, however that ends, and nothing is
/// ever left to be removed. The file's text names the holder, for the message of whoever waits.
public final class ResultsLock: Sendable {
    private let descriptor: Int32

    /// Waits up to `timeout` for the lock.
    /// - Parameter waiting: called once if there is somebody to wait for.
    /// - Throws: `PipelineError.lockHeld`, `.cannotWrite`, `.interrupted`.
    public init(
        folder: URL, timeout: Duration, cancellation: Cancellation = Cancellation(),
        waiting: (ProcessIdentity?) -> Void = { _ in }
    ) throws {
        let path = folder.appendingPathComponent(".lock").path
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw PipelineError.cannotWrite(path: path, errno: errno) }
        do {
            try Self.acquire(descriptor, path, timeout, cancellation, waiting)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        // Only a help for others: that the lock is held does not depend on it.
        if let text = try? JSONEncoder().encode(ProcessIdentity.current) {
            ftruncate(descriptor, 0)
            _ = text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
    }

    deinit {
        close(descriptor)
    }

    private static func acquire(
        _ descriptor: Int32, _ path: String, _ timeout: Duration, _ cancellation: Cancellation,
        _ waiting: (ProcessIdentity?) -> Void
    ) throws {
        let start = ContinuousClock.now
        var hasWaited = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw PipelineError.cannotWrite(path: path, errno: errno)
            }
            if cancellation.isCancelled { throw PipelineError.interrupted }
            let waited = ContinuousClock.now - start
            let holder = try? JSONDecoder().decode(
                ProcessIdentity.self, from: readFile(at: URL(fileURLWithPath: path), limit: 4096))
            guard waited < timeout else {
                throw PipelineError.lockHeld(path: path, holder: holder, waited: waited)
            }
            if !hasWaited { waiting(holder) }
            hasWaited = true
            usleep(20_000)
        }
    }
}
