import Foundation
import Results

/// A private copy of a results database: what every command reads that only reads, also while somebody writes to it.
///
/// SQLite's readers of a database with a journal write beside it, and only the writer's own host may have them. A copy
/// of the file and its journal can be read from any node, in a folder that cannot be written too.
final class DatabaseCopy {
    private let database: ResultsDatabase
    private let folder: URL

    /// - Throws: `Failure` where there are no results, `ResultsError`.
    init(in results: URL) throws {
        let files = FileManager.default
        folder = files.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)", isDirectory: true)
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        let copy = folder.appendingPathComponent("copy.sqlite")
        do {
            let sources = [ResultFiles.database(in: results), ResultFiles.snapshot(in: results)]
                .filter { files.fileExists(atPath: $0.path) }
            guard let first = sources.first else {
                throw Failure(.inputMissing, "\(results.relativePath): there are no results", fix: "name a results folder with --results, or run an experiment first")
            }
            do {
                database = try Self.open(first, copy)
            } catch {
                // The other is one file that nobody is writing to, and may be older.
                guard sources.count > 1 else { throw error }
                database = try Self.open(sources[1], copy)
                Console.tell("warning: \(Failure(error).message); shown is the copy that the last run to end left\n")
            }
        } catch {
            try? files.removeItem(at: folder)
            throw error
        }
    }

    /// - Parameter file: a database.
    /// - Throws: `ResultsError`.
    init(of file: URL) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            database = try Self.open(file, folder.appendingPathComponent("copy.sqlite"))
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    /// Reads from the copy, which stays until `body` returns and no longer.
    func read<Value>(_ body: (ResultsDatabase) throws -> Value) rethrows -> Value {
        try withExtendedLifetime(self) { try body(database) }
    }

    deinit {
        try? database.close()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func open(_ source: URL, _ copy: URL) throws -> ResultsDatabase {
        let files = FileManager.default
        // The writer may move its journal into the file while both are being copied: then once more.
        for _ in 0..<20 {
            let before = Marks(source)
            for (source, copy) in [(source, copy), (journal(source), journal(copy))] {
                try? files.removeItem(at: copy)
                try? files.copyItem(at: source, to: copy)
                // SQLite gives what it makes beside a file the mode of the file.
                try? files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: copy.path)
            }
            if Marks(source) == before { break }
            usleep(50_000)
        }
        return try ResultsDatabase(readingFrom: copy, as: source.path)
    }

    private static func journal(_ url: URL) -> URL { URL(fileURLWithPath: url.path + "-wal") }

    /// What changes when the main file does, or when its journal begins anew.
    private struct Marks: Equatable {
        let size: Int?
        let modified: Date?
        let journal: Data?

        init(_ url: URL) {
            let attributes = try? FileManager.default.attributesOfItem(atPath: url.path)
            size = attributes?[.size] as? Int
            modified = attributes?[.modificationDate] as? Date
            journal = try? FileHandle(forReadingFrom: DatabaseCopy.journal(url)).read(upToCount: 32)
        }
    }
}
