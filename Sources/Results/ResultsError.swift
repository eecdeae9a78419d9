/// What went wrong with the results database or an export, as facts.
///
/// `code` is SQLite's extended result code, `errno` the system's reason, as far as SQLite tells it. Exports fail with `OutputError`.
public enum ResultsError: Error, Equatable, Sendable {
    /// The database cannot be opened: a folder that is missing or cannot be written, a WAL
    /// database in a folder that cannot be written.
    case cannotOpen(path: String, errno: Int32, message: String)
    /// The file is not a database, or not one of results.
    case notAResultsDatabase(path: String)
    /// The file is a database whose pages are damaged, or which declares something else than a results database does.
    case damaged(path: String, message: String)
    /// The database was written by a later version of this program.
    case newerSchema(path: String, found: Int, supported: Int)
    /// Another process kept the database busy for longer than the time to wait.
    case busy(path: String)
    /// Rows could not be saved; none of them was.
    case saveFailed(path: String, errno: Int32, message: String, freeBytes: Int64?)
    /// The file was removed or replaced while it was written to.
    case removed(path: String)
    /// The disk does not give back what is on it.
    case readFailed(path: String, errno: Int32)
    /// A database to which somebody writes is read from a copy, which could not be made in `folder`.
    case cannotCopy(path: String, folder: String, neededBytes: Int64, freeBytes: Int64?, errno: Int32)
    /// In the place of a database, or of a file that SQLite keeps beside it, stands a link, a pipe, a device or a file of
    /// somebody else's.
    case notAPlainFile(path: String, found: String)
    /// The file is empty: no run has begun there yet.
    case noResults(path: String)
    /// A row breaks a rule of the schema, such as an image that is predicted twice in one set.
    case invalidRow(message: String)
    case noSuchRun(path: String, run: Int64)
    /// A stored row cannot be read back.
    case unreadableRow(path: String, table: String, column: String)
    /// Another error of SQLite.
    case sqlite(path: String, code: Int32, message: String)
}
