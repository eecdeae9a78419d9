import Foundation
import Foundations
import GRDB
import Pipeline
import Synchronization

/// The results of all runs, in one SQLite file.
///
/// ```swift
/// let database = try ResultsDatabase(writingTo: url)
/// let run = try database.begin(description)
/// …
/// try database.end(run, as: .done, steps: result.outcomes, rows: RunRows(metrics: metrics, predictions: predictions))
/// try database.writeSnapshot(to: snapshotURL)
/// try database.close()
/// ```
///
/// A commit survives a loss of power (WAL with `synchronous = FULL`). Several processes may write:
/// each transaction takes the write lock when it begins, so that waiting for it can time out but
/// never fails half-way.
public final class ResultsDatabase: Sendable {
    public let path: String
    /// Version of the tables: of a database that is only read, that of the program which wrote it.
    let schema: Int
    private let queue: DatabaseQueue
    /// Runs whose rows have been found to be as they were stored.
    let checkedRuns = Mutex<Set<Int64>>([])

    /// Opens a database to write to, and makes it where there is none.
    /// - Throws: `ResultsError`.
    public init(writingTo url: URL, busyTimeout: Duration = .seconds(10)) throws {
        path = url.path
        schema = Schema.version
        queue = try Self.translatingErrors(path) {
            var configuration = Configuration()
            configuration.busyMode = .timeout(busyTimeout.seconds)
            configuration.prepareDatabase { db in
                // A file that is not ours is not changed, not even in its mode.
                try Schema.check(db, path: url.path)
                try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            }
            let queue = try DatabaseQueue(path: url.path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // Before hours of work, not after them.
                if let problem = try String.fetchOne(db, sql: "PRAGMA quick_check(1)"), problem != "ok" {
                    throw ResultsError.damaged(path: url.path, message: problem)
                }
                try Schema.prepare(db, path: url.path)
            }
            return queue
        }
    }

    /// Opens a database to read from; nothing is created.
    /// - Throws: `ResultsError`.
    /// - Parameter path: what errors call the file; nil for its own path.
    public init(readingFrom url: URL, as path: String? = nil, busyTimeout: Duration = .seconds(10)) throws {
        let path = path ?? url.path
        self.path = path
        (queue, schema) = try Self.translatingErrors(path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(busyTimeout.seconds)
            let queue = try DatabaseQueue(path: url.path, configuration: configuration)
            return (queue, try queue.read { try Schema.check($0, path: path) })
        }
    }

    // MARK: Access

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.translatingErrors(path) { try queue.read(body) }
    }

    /// Writes in one transaction, all of it or nothing; GRDB begins it as IMMEDIATE.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.translatingErrors(path) { try queue.write(body) }
    }

    func withoutTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try Self.translatingErrors(path) { try queue.writeWithoutTransaction(body) }
    }

    /// Ends the use of the database.
    /// - Throws: `ResultsError`.
    public func close() throws {
        try Self.translatingErrors(path) { try queue.close() }
    }

    // MARK: Errors

    private static func translatingErrors<Value>(
        _ path: String, _ body: () throws -> Value
    ) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw translation(of: error, path: path)
        }
    }

    private static func translation(of error: DatabaseError, path: String) -> ResultsError {
        let code = error.extendedResultCode.rawValue
        let message = error.message ?? ""
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR:
            let free = OutputFolder.freeBytes(at: URL(fileURLWithPath: path))
            return .saveFailed(path: path, code: code, message: message, freeBytes: free)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            return .cannotOpen(path: path, code: code, message: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED: return .busy(path: path)
        case .SQLITE_NOTADB: return .notAResultsDatabase(path: path)
        case .SQLITE_CORRUPT: return .damaged(path: path, message: message)
        case .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
            return .invalidRow(message: message)
        default: return .sqlite(path: path, code: code, message: message)
        }
    }
}
