import Foundation
import Foundations
import GRDB
import Pipeline

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
