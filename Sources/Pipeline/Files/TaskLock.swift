import Foundation
import Foundations

/// Says that a task of a cluster writes into a results folder, beside whoever holds its lock.
///
/// Any number of tasks share it. On a file system that keeps `flock` to each node, a task's incomplete file may be swept
/// away under its hands: its shard then fails to be saved, and is computed again.
final class TaskLock: Sendable {
    private static let name = ".tasks"
    private let file: LockFile

    /// Waits, for as long as somebody sweeps the folder.
    /// - Throws: `OutputError`, `PipelineError.interrupted`.
    init(folder: OutputFolder, cancellation: Cancellation) throws {
        file = try LockFile(Self.name, in: folder)
        while try !file.tryLock(shared: true) {
            try cancellation.check()
            usleep(20_000)
        }
    }

    /// Calls `body` unless a task is at work; none begins meanwhile.
    /// - Throws: `OutputError`, and what `body` throws.
    static func withoutTasks(in folder: OutputFolder, _ body: () throws -> Void) throws {
        let file: LockFile
        do {
            file = try LockFile(name, in: folder, makes: false)
        } catch OutputError.cannotWrite(_, ENOENT) {
            // Without the file there never was a task.
            return try body()
        }
        if try file.tryLock() { try body() }
    }
}
