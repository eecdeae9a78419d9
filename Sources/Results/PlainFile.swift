import Foundation
import Foundations

/// What may stand where a database or its journal does: a regular file, no link; to be written to, one without other names
/// that is not a stranger's.
enum PlainFile {
    /// The names that SQLite gives to a database and to what it keeps beside it begin alike and end so.
    private static let suffixes = ["", "-wal", "-shm", "-journal"]

    /// - Throws: `ResultsError.notAPlainFile` where something else stands in the place of a database or of its journals.
    static func check(_ database: URL) throws {
        for suffix in suffixes {
            let path = database.path + suffix
            var status = stat()
            guard lstat(path, &status) == 0, let found = flaw(of: status, isWritten: true, in: path) else { continue }
            throw ResultsError.notAPlainFile(path: path, found: found)
        }
    }

    /// - Returns: what it is instead; nil for a file that may be used.
    static func flaw(of status: stat, isWritten: Bool, in path: String) -> String? {
        switch status.st_mode & S_IFMT {
        case S_IFREG where isWritten && status.st_nlink > 1:
            "a file that has other names (hard links), which would be written to, too"
        case S_IFREG:
            isWritten && OutputFolder.isStrangers(status, in: URL(fileURLWithPath: path).deletingLastPathComponent())
                ? "a file of another user, in a folder that everybody may write to" : nil
        case S_IFLNK: "a link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }
}
