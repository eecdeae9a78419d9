import Foundation
import Foundations

/// Standard output for results, standard error for everything else. Nothing in a text moves the cursor, or hides: names come from strangers.
enum Console {
    /// Writes results.
    /// - Throws: ``Failure`` where they cannot be written: a table that nobody got is no success.
    static func print(_ text: String) throws {
        switch write(text.visible, to: STDOUT_FILENO) {
        case 0: return
        case EPIPE:
            throw Failure(
                .saveFailed, "standard output: whoever read it has left",
                fix: "read to the end, or write into a file; what a run has computed is saved")
        case let code:
            throw Failure(
                .saveFailed, "standard output: could not be written: \(String(cString: strerror(code)))",
                fix: "\(Failure.remedy(code) ?? "write somewhere else"); what a run has computed is saved")
        }
    }

    /// Writes progress, warnings and errors; a log that is full must not end the work.
    static func tell(_ text: String) {
        _ = write(text.visible, to: STDERR_FILENO)
    }

    /// Redraws the last line of the terminal that standard error is.
    /// - Parameter end: ends the line, so that it stays.
    static func redraw(_ text: String, end: String = "") {
        _ = write("\r\u{1B}[K\(text.visible)\(end)", to: STDERR_FILENO)
    }

    /// - Returns: 0, or the reason why not all of it was written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                done += count
            }
            return 0
        }
    }
}

/// A file that a command writes.
enum OutputFile {
    /// Refuses to write over what is read.
    /// - Parameters:
    ///   - inputs: files and folders; nil for one that was not given.
    ///   - pictures: a folder or a file of pictures; what else lies in it is nobody's input.
    /// - Throws: ``Failure`` where the file is there and is an input, or lies in one.
    static func check(_ output: String, isNoneOf inputs: [String?], norIn pictures: String? = nil) throws {
        guard let file = realPath(output) else { return }
        let isPicture = ["png", "jpg", "jpeg"].contains(URL(fileURLWithPath: file).pathExtension.lowercased())
        for case let input? in inputs + [isPicture || realPath(pictures ?? "") == file ? pictures : nil] {
            guard let path = realPath(input), file == path || file.hasPrefix(path + "/") else { continue }
            throw Failure(
                .usage,
                file == path
                    ? "--output \(output) is \(input), which is read"
                    : "--output \(output) is a file of \(input), which is read",
                fix: "name another file with --output")
        }
    }

    /// Nil for what is not there.
    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
