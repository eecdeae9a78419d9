import Foundation
import Results

/// What every command reads that only reads, also while somebody writes to it.
struct ResultsReader {
    private let view: DatabaseView

    /// - Parameter results: a results folder.
    /// - Throws: `Failure` where there are no results, `ResultsError`.
    init(in results: URL) throws {
        let sources = [ResultFiles.database(in: results), ResultFiles.snapshot(in: results)]
            .filter { FileManager.default.fileExists(atPath: $0.path) }
        guard let first = sources.first else {
            throw Failure(
                .inputMissing, "\(results.relativePath): there are no results",
                fix: "name a results folder with --results, or run an experiment first")
        }
        do {
            view = try DatabaseView(of: first)
        } catch {
            // The other is one file that nobody is writing to, and may be older. Where the reader lacks room, it is no substitute.
            if case ResultsError.cannotCopy = error { throw error }
            guard sources.count > 1, let copy = try? DatabaseView(of: sources[1]) else { throw error }
            view = copy
            Console.tell("warning: \(Failure(error).message); shown is the copy that the last run to end left\n")
        }
    }

    /// - Parameter file: a database.
    /// - Throws: `PipelineError.cannotRead`, `ResultsError`.
    init(of file: URL) throws { view = try DatabaseView(of: file) }

    /// What `body` makes of the database; it may be called twice, and has to do nothing else.
    func read<Value>(_ body: (ResultsDatabase) throws -> Value) throws -> Value { try view.read(body) }
}
