import Foundation
import Foundations
import GRDB
import GRDBSQLite
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
    /// The file that was opened to be written to, in case another one takes its name.
    private let file: FileIdentity?
    /// Runs whose rows have been found to be as they were stored.
    let checkedRuns = Mutex<Set<Int64>>([])

    // MARK: Opening

    /// Opens a database to write to, and makes it where there is none.
    /// - Throws: `ResultsError`; then the file is as it was.
    public convenience init(writingTo url: URL, busyTimeout: Duration = .seconds(10)) throws {
        try self.init(writingTo: url, tables: .current, busyTimeout: busyTimeout)
    }

    init(writingTo url: URL, tables: Schema, busyTimeout: Duration = .seconds(10)) throws {
        path = url.path
        schema = tables.version
        try PlainFile.check(url)
        queue = try Self.opening(path) {
            var configuration = Configuration()
            configuration.busyMode = .timeout(busyTimeout.seconds)
            configuration.prepareDatabase { db in
                // A file that is not ours is not changed, not even in its mode.
                try tables.check(db, path: url.path)
                try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            }
            let queue = try DatabaseQueue(path: url.path, configuration: configuration)
            try queue.writeWithoutTransaction { db in
                // Before hours of work, not after them.
                if let problem = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)"), problem != "ok" {
                    throw ResultsError.damaged(path: url.path, message: problem)
                }
                try tables.prepare(db, path: url.path)
            }
            return queue
        }
        guard let file = FileIdentity(path) else { throw ResultsError.removed(path: path) }
        self.file = file
    }

    /// Makes sure that the file still has its name: what is saved into one that was removed is lost.
    /// - Throws: `ResultsError.removed`.
    public func checkInPlace() throws {
        guard file == FileIdentity(path) else { throw ResultsError.removed(path: path) }
    }

    /// Opens a database to read from; nothing is created. SQLite keeps files beside it while somebody writes to it.
    /// - Throws: `ResultsError`.
    public convenience init(readingFrom url: URL, busyTimeout: Duration = .seconds(10)) throws {
        try self.init(readingFrom: url, tables: .current, busyTimeout: busyTimeout)
    }

    convenience init(readingFrom url: URL, tables: Schema, busyTimeout: Duration = .seconds(10)) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(busyTimeout.seconds)
        try self.init(url.path, as: url.path, tables, configuration)
    }

    /// Opens a file to which nobody writes, without looking for anything beside it.
    /// - Parameter path: what errors call the file.
    /// - Throws: `ResultsError`.
    convenience init(atRest url: URL, as path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        // All else would have a meaning in the address.
        let name =
            url.path.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "/-._")))
            ?? url.path
        try self.init("file://\(name)?immutable=1", as: path, .current, configuration)
    }

    /// Opens a file that is the caller's own, and may be without a name.
    /// - Parameter path: what errors call the file.
    /// - Throws: `ResultsError`.
    convenience init(ownCopy url: URL, as path: String) throws {
        var configuration = Configuration()
        // What is in its journal is found without a file for it, and nobody needs the copy after a loss of power.
        configuration.prepareDatabase {
            try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF")
        }
        try self.init(url.path, as: path, .current, configuration)
    }

    private init(_ name: String, as path: String, _ tables: Schema, _ configuration: Configuration) throws {
        self.path = path
        file = nil
        var configuration = configuration
        // What is put in order for a moment needs no file either.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA temp_store = MEMORY") }
        (queue, schema) = try Self.opening(path) { [configuration] in
            let queue = try DatabaseQueue(path: name, configuration: configuration)
            let schema = try queue.read { try tables.check($0, path: path) }
            guard schema > 0 else { throw ResultsError.noResults(path: path) }
            return (queue, schema)
        }
    }

    // MARK: Access

    func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try translatingErrors(whileReading: true) { try queue.read(body) }
    }

    /// Writes in one transaction, all of it or nothing; GRDB begins it as IMMEDIATE.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try translatingErrors(whileReading: false) { try queue.write(body) }
    }

    func withoutTransaction<Value>(_ body: (Database) throws -> Value) throws -> Value {
        try translatingErrors(whileReading: false) { try queue.writeWithoutTransaction(body) }
    }

    /// Ends the use of the database.
    /// - Throws: `ResultsError`.
    public func close() throws {
        try translatingErrors(whileReading: false) { try queue.close() }
    }

    // MARK: Errors

    private func translatingErrors<Value>(whileReading: Bool, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as DatabaseError {
            let errno = queue.unsafeReentrantRead { sqlite3_system_errno($0.sqliteConnection) }
            throw ResultsError(error, path: path, whileReading: whileReading, errno: errno)
        }
    }

    private static func opening<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        guard SQLiteFiles.areGuarded else {
            throw ResultsError.sqlite(path: path, code: SQLITE_NOTFOUND, message: "no way to open plain files only")
        }
        SQLiteFiles.lastFailure.withLock { $0 = 0 }
        do {
            return try body()
        } catch let error as DatabaseError {
            throw ResultsError(error, path: path, whileReading: true, errno: 0)
        }
    }
}

extension ResultsError {
    /// - Parameters:
    ///   - whileReading: whether what SQLite objects to can only be what was stored.
    ///   - errno: the system's last reason, as far as SQLite has kept it; 0 for none.
    fileprivate init(_ error: DatabaseError, path: String, whileReading: Bool, errno: Int32) {
        let code = error.extendedResultCode.rawValue
        let message = error.message ?? ""
        let errno = errno == 0 ? SQLiteFiles.lastFailure.withLock { $0 } : errno
        func saveFailed(_ errno: Int32) -> ResultsError {
            .saveFailed(
                path: path, errno: errno, message: message,
                freeBytes: OutputFolder.freeBytes(at: URL(fileURLWithPath: path)))
        }
        switch error.resultCode {
        case .SQLITE_FULL: self = saveFailed(ENOSPC)
        case .SQLITE_IOERR where [.SQLITE_IOERR_READ, .SQLITE_IOERR_CORRUPTFS].contains(error.extendedResultCode):
            self = .readFailed(path: path, errno: EIO)
        // What the system said may be of a later call, where the disk itself is not what it complains of.
        case .SQLITE_IOERR: self = saveFailed([ENOSPC, EDQUOT, EFBIG].contains(errno) ? errno : EIO)
        case .SQLITE_READONLY where Self.isOfUnknownFormat(path):
            self = .damaged(path: path, message: "its header tells of a format that there is not")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self = .cannotOpen(path: path, errno: SQLiteFiles.lastFailure.withLock { $0 }, message: message)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        case .SQLITE_NOTADB: self = .notAResultsDatabase(path: path)
        case .SQLITE_CORRUPT: self = .damaged(path: path, message: message)
        // The statements are right for the tables that were found.
        case .SQLITE_ERROR, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
            self = whileReading ? .damaged(path: path, message: message) : .invalidRow(message: message)
        default: self = .sqlite(path: path, code: code, message: message)
        }
    }

    /// Whether SQLite only reads a file because of what the header says, which is its version for writers.
    private static func isOfUnknownFormat(_ path: String) -> Bool {
        guard let header = try? SourceFile(URL(fileURLWithPath: path)).beginning(20), header.count == 20 else {
            return false
        }
        return header[18] > 2
    }
}

extension ResultsDatabase {
    /// - Throws: `ResultsError.damaged` where what is stored of a run, or the rows that are its own, is not what was left.
    func check(_ run: StoredRun, _ db: Database) throws {
        try checkRun(run.id, db)
        guard let rows = run.rowsRun, !checkedRuns.withLock({ $0.contains(rows) }) else { return }
        try checkRun(rows, db)
        guard try StoredCheck.rows.isIntact(rows, db) else {
            throw ResultsError.damaged(path: path, message: "the rows of run \(rows) are not those that were stored")
        }
        checkedRuns.withLock { _ = $0.insert(rows) }
    }

    /// - Throws: `ResultsError.damaged` where what is stored of a run is not what it left.
    func checkRun(_ run: Int64, _ db: Database) throws {
        guard try StoredCheck.run.isIntact(run, db) else {
            throw ResultsError.damaged(path: path, message: "what is stored of run \(run) is not what it left")
        }
    }
}

extension ResultsDatabase {
    /// Brings the main file up to date and writes a copy for sharing.
    ///
    /// The main file alone may lack what the WAL still holds; the copy is one file with
    /// everything, and opens in a folder that cannot be written. It takes the place of an earlier
    /// copy only when it is complete.
    /// - Throws: `ResultsError`, `OutputError`; a copy that could not be written is one that could not be saved.
    public func writeSnapshot(to folder: OutputFolder, as name: String) throws {
        try withoutTransaction { db in
            // Waits for no reader: what cannot be moved now stays in the WAL, where it is safe.
            try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
        }
        try folder.replace(name) { temporary in
            // SQLite does not say why it could not make one; it takes an empty one.
            let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else {
                let code = errno
                throw OutputError.saveFailed(
                    path: folder.file(name).path, errno: code, freeBytes: OutputFolder.freeBytes(at: temporary))
            }
            Foundation.close(descriptor)
            do {
                try withoutTransaction { db in
                    try db.execute(sql: "VACUUM INTO ?", arguments: [temporary.path])
                }
            } catch ResultsError.cannotOpen(_, let errno, let message), ResultsError.saveFailed(
                _, let errno, let message, _)
            {
                // The name that the caller knows, not the one it had for a moment.
                throw ResultsError.saveFailed(
                    path: folder.file(name).path, errno: errno,
                    message: message.replacing(temporary.path, with: folder.file(name).path),
                    freeBytes: OutputFolder.freeBytes(at: temporary))
            }
        }
    }
}
