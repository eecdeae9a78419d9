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
            do {
                try withoutTransaction { db in
                    try db.execute(sql: "VACUUM INTO ?", arguments: [temporary.path])
                }
            } catch ResultsError.cannotOpen(_, let code, let message), ResultsError.saveFailed(_, let code, let message, _) {
                // The name that the caller knows, not the one it had for a moment.
                throw ResultsError.saveFailed(
                    path: folder.file(name).path, code: code, message: message.replacing(temporary.path, with: folder.file(name).path),
                    freeBytes: OutputFolder.freeBytes(at: temporary))
            }
        }
    }
}
