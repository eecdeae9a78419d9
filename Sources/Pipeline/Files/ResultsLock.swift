import Foundation
import Foundations

/// The right to compute into a results folder, which one process has at a time.
///
/// The file's text names the holder, for the message of whoever waits; a holder that ends by itself takes it away. On a file
/// system that keeps `flock` to each node, two hosts can hold the lock at once: the text is how that is noticed, by who
/// finds another host's when it begins, or at its end another one's than its own.
public final class ResultsLock: Sendable {
    private let file: LockFile
    /// Whether the file's text could be written.
    private let isSigned: Bool

    /// Waits up to `timeout` for the lock.
    /// - Parameters:
    ///   - waiting: called once if there is somebody to wait for.
    ///   - unsigned: called with a holder on another host who has not taken its name away: it was killed, or is at work
    ///     where locks do not reach.
    /// - Throws: `PipelineError.lockHeld`, `.interrupted`; `OutputError`.
    public init(
        folder: OutputFolder, timeout: Duration, cancellation: Cancellation = Cancellation(),
        waiting: (ProcessIdentity?) -> Void = { _ in }, unsigned: (ProcessIdentity) -> Void = { _ in }
    ) throws {
        let start = ContinuousClock.now
        var hasWaited = false
        var file = try LockFile(".lock", in: folder)
        while true {
            let isHeld = try file.tryLock()
            if isHeld, file.isInPlace { break }
            // Removed between its opening and its locking: whoever comes next would lock another.
            if isHeld || !file.isInPlace { file = try LockFile(".lock", in: folder) }
            if cancellation.isCancelled { throw PipelineError.interrupted }
            let waited = ContinuousClock.now - start
            let holder = Self.holder(file)
            guard waited < timeout else {
                throw PipelineError.lockHeld(path: file.path, holder: holder, waited: waited)
            }
            if !hasWaited { waiting(holder) }
            hasWaited = true
            usleep(20_000)
        }
        self.file = file
        if let former = Self.holder(file), former.isRunning == nil { unsigned(former) }
        let text = try? JSONEncoder().encode(ProcessIdentity.current)
        isSigned = text.map(file.say) ?? false
    }

    deinit {
        if file.isInPlace, Self.holder(file) == .current { file.say(Data()) }
    }

    private static func holder(_ file: LockFile) -> ProcessIdentity? {
        try? JSONDecoder().decode(ProcessIdentity.self, from: file.text)
    }

    /// Makes sure that nobody else could have the lock meanwhile.
    /// - Throws: `PipelineError.lockLost` where the file was removed, or somebody else wrote into it.
    public func check() throws {
        let holder = Self.holder(file)
        guard file.isInPlace, !isSigned || holder == .current else {
            throw PipelineError.lockLost(path: file.path, isRemoved: !file.isInPlace, holder: holder)
        }
    }
}

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
