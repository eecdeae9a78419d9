import Foundation

/// Says that a task of a cluster writes into a results folder, beside whoever holds its lock.
///
/// Any number of tasks share it. It is the kernel's (`flock`), so it ends with the task, however that ends. On a
/// file system that keeps such locks to each node, a task's incomplete file may be swept away under its hands: its
/// shard then fails to be saved, and is computed again.
final class TaskLock: Sendable {
    private let descriptor: Int32

    private static func path(_ folder: URL) -> String { folder.appendingPathComponent(".tasks").path }

    /// Waits, for as long as somebody sweeps the folder.
    /// - Throws: `PipelineError.cannotWrite`.
    init(folder: URL) throws {
        let path = Self.path(folder)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw PipelineError.cannotWrite(path: path, errno: errno) }
        while flock(descriptor, LOCK_SH) != 0 {
            guard errno == EINTR else {
                let code = errno
                close(descriptor)
                throw PipelineError.cannotWrite(path: path, errno: code)
            }
        }
    }

    deinit { close(descriptor) }

    /// Calls `body` unless a task is at work; none begins meanwhile.
    static func withoutTasks(in folder: URL, _ body: () throws -> Void) rethrows {
        let descriptor = open(path(folder), O_RDONLY | O_CLOEXEC)
        // Without the file there never was a task.
        guard descriptor >= 0 else { return try body() }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try body() }
    }
}
