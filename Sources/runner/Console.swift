import Foundation
import Foundations

/// Standard output for results, standard error for everything else. Nothing in a text moves the cursor, or hides: names come from strangers.
enum Console {
    /// Writes results.
    /// - Throws: ``Failure`` where they cannot be written: a table that nobody got is no success.
    static func print(_ text: String) throws {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.visible.utf8))
        } catch {
            throw Failure(.saveFailed, "standard output: could not be written", fix: "make room where it leads; the rows are saved")
        }
    }

    /// Writes progress, warnings and errors; a log that is full must not end the work.
    static func tell(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.visible.utf8))
    }

    /// Redraws the last line of the terminal that standard error is.
    /// - Parameter end: ends the line, so that it stays.
    static func redraw(_ text: String, end: String = "") {
        try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K\(text.visible)\(end)".utf8))
    }
}
