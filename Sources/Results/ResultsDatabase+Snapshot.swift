import Foundation
import GRDB
import Pipeline

extension ResultsDatabase {
    /// Brings the main file up to date and writes a copy for sharing.
    ///
    /// The main file alone may lack what the WAL still holds; the copy is one file with
    /// everything, and opens in a folder that cannot be written. It takes the place of an earlier
    /// copy only when it is complete.
    /// - Throws: `ResultsError`, `PipelineError.saveFailed`.
    public func writeSnapshot(to url: URL) throws {
        try withoutTransaction { db in
            // Waits for no reader: what cannot be moved now stays in the WAL, where it is safe.
            try db.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)")
        }
        try DurableFile.replace(url) { temporary in
            try withoutTransaction { db in
                try db.execute(sql: "VACUUM INTO ?", arguments: [temporary.path])
            }
        }
    }
}
