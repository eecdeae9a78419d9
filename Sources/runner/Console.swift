import Foundation

/// Standard output for results, standard error for everything else.
enum Console {
    /// Writes results.
    /// - Throws: ``Failure`` where they cannot be written: a table that nobody got is no success.
    static func print(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            throw Failure(.saveFailed, "standard output: could not be written", fix: "make room where it leads; the rows are saved")
        }
    }

    /// Writes progress, warnings and errors; a log that is full must not end the work.
    static func tell(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
