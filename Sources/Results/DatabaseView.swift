import Foundation
import Foundations
import Pipeline

/// A results database as it is at one moment, for readers: they write nothing beside it and need nothing of the host that
/// writes to it.
///
/// It is read in place where nobody has anything to move into it, else from a copy that has no name. SQLite's own readers
/// of a database with a journal write beside it, and only the writer's host may have them. A process that writes to a
/// database has no view of it at the same time: closing any descriptor of a file ends the process's locks on it.
public final class DatabaseView {
    private let file: URL
    private let path: String
    private let temporary: URL
    private var database: ResultsDatabase
    /// Marks of the file that is read in place; nil for a copy, which nobody changes.
    private var marks: DatabaseMarks?

    /// - Parameter temporary: folder for the copy, if there has to be one; nil for that of `TMPDIR`.
    /// - Throws: `PipelineError.cannotRead` for a file that is not there, `ResultsError`.
    public init(of url: URL, temporary: URL? = nil) throws {
        path = url.path
        // A link to a database is read as the database, whose journal is beside it.
        file = url.resolvingSymlinksInPath()
        self.temporary = temporary ?? Self.temporaryFolder
        let marks = try DatabaseMarks(file)
        if marks.isAtRest {
            let opened = Result { [file, path] in try ResultsDatabase(atRest: file, as: path) }
            if try DatabaseMarks(file) == marks {
                database = try opened.get()
                self.marks = marks
                return
            }
        }
        database = try DatabaseCopy.open(file, as: path, in: self.temporary)
    }

    /// What `body` makes of the database. Where somebody writes to it meanwhile, what it has made is dropped, and it is
    /// called once more.
    /// - Throws: `PipelineError.cannotRead`, `ResultsError`, and what `body` throws.
    public func read<Value>(_ body: (ResultsDatabase) throws -> Value) throws -> Value {
        let value = Result { try body(database) }
        guard let marks, try DatabaseMarks(file) != marks else { return try value.get() }
        database = try DatabaseCopy.open(file, as: path, in: temporary)
        self.marks = nil
        return try body(database)
    }

    private static var temporaryFolder: URL {
        URL(
            fileURLWithPath: ProcessInfo.processInfo.environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp",
            isDirectory: true)
    }
}

/// What changes when the main file of a database does, or when a journal of it begins anew.
struct DatabaseMarks: Equatable {
    private let file: FileStamp
    /// The beginnings of the file and of its journals; empty where there is none.
    private let headers: [Data]

    /// Whether the main file has everything, and nobody is about to write to it.
    var isAtRest: Bool { headers.dropFirst().allSatisfy(\.isEmpty) }

    /// - Throws: `PipelineError.cannotRead`, `ResultsError.notAPlainFile`.
    init(_ url: URL) throws {
        let main = try SourceFile(url)
        file = FileStamp(main.status)
        headers =
            try [main.beginning(100)]
            + DatabaseCopy.journals.map { try SourceFile.ifPresent(url, $0)?.beginning(32) ?? Data() }
    }
}
