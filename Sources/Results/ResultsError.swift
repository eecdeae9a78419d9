/// What went wrong with the results database or an export, as facts.
///
/// `code` is SQLite's extended result code. Exports fail with `OutputError`.
public enum ResultsError: Error, Equatable, Sendable {
    /// The database cannot be opened: a folder that is missing or cannot be written, a WAL
    /// database in a folder that cannot be written.
    case cannotOpen(path: String, code: Int32, message: String)
    /// The file is not a database, or not one of results.
    case notAResultsDatabase(path: String)
    /// The file is a database whose pages are damaged.
    case damaged(path: String, message: String)
    /// The database was written by a later version of this program.
    case newerSchema(path: String, found: Int, supported: Int)
    /// Another process kept the database busy for longer than the time to wait.
    case busy(path: String)
    /// Rows could not be saved; none of them was.
    case saveFailed(path: String, code: Int32, message: String, freeBytes: Int64?)
    /// A row breaks a rule of the schema, such as an image that is predicted twice in one set.
    case invalidRow(message: String)
    case noSuchRun(path: String, run: Int64)
    /// A stored row cannot be read back.
    case unreadableRow(path: String, table: String, column: String)
    /// Another error of SQLite.
    case sqlite(path: String, code: Int32, message: String)
}
