import Foundation
import GRDB
import Pipeline

/// A digest of the stored rows of a run, so that bytes that change on the disk are not believed: SQLite itself
/// notices only what breaks the form of its pages.
///
/// It is taken of the rows as the database has them, not of what was to be stored. A database of an earlier
/// version has none for its runs, and they are taken as they are.
enum RowsCheck {
    /// Where rows of a run are, each table in an order that does not change.
    private static let queries = [
        ("metric", "SELECT * FROM metric WHERE run = ? ORDER BY id"),
        ("prediction_set", "SELECT * FROM prediction_set WHERE run = ? ORDER BY id"),
        (
            "prediction",
            """
            SELECT prediction.* FROM prediction_set JOIN prediction ON prediction_set = prediction_set.id
            WHERE run = ? ORDER BY prediction_set, image
            """
        ),
        (
            "term",
            """
            SELECT term.metric, image.name, part, numerator, denominator
            FROM metric JOIN term ON term.metric = metric.id JOIN image ON image.id = term.image
            WHERE metric.run = ? ORDER BY term.metric, term.image, part
            """
        ),
        ("table_layout", "SELECT * FROM table_layout WHERE run = ? ORDER BY position"),
        ("attachment", "SELECT * FROM attachment WHERE run = ? ORDER BY name"),
    ]

    /// Remembers what the rows of a run are now.
    static func store(_ run: Int64, _ db: Database) throws {
        try db.execute(sql: "INSERT INTO rows_check (run, sha256) VALUES (?, ?)", arguments: [run, try digest(run, db)])
    }

    /// Whether the rows of a run are as they were stored.
    static func isIntact(_ run: Int64, _ db: Database) throws -> Bool {
        guard try db.tableExists("rows_check"),
            let stored = try String.fetchOne(db, sql: "SELECT sha256 FROM rows_check WHERE run = ?", arguments: [run])
        else { return true }
        return try digest(run, db) == stored
    }

    private static func digest(_ run: Int64, _ db: Database) throws -> String {
        // Of the digest so far and the next rows, so that memory does not grow with them.
        var (digest, next) = ("", Data())
        for (table, query) in queries where try db.tableExists(table) {
            next += Data(table.utf8)
            let rows = try Row.fetchCursor(db, sql: query, arguments: [run])
            while let row = try rows.next() {
                // By place: a row as a collection makes the name of every column anew, a million times.
                for column in 0..<row.count { append(row[column], to: &next) }
                guard next.count > 1 << 20 else { continue }
                digest = Digest.sha256(of: Data(digest.utf8) + next)
                next.removeAll(keepingCapacity: true)
            }
        }
        return Digest.sha256(of: Data(digest.utf8) + next)
    }

    /// So that different values, also one after the other, give different bytes.
    private static func append(_ value: DatabaseValue, to bytes: inout Data) {
        func number(_ kind: UInt8, _ bits: UInt64) {
            bytes.append(kind)
            withUnsafeBytes(of: bits.littleEndian) { bytes.append(contentsOf: $0) }
        }
        switch value.storage {
        case .null: bytes.append(0)
        case .int64(let value): number(1, UInt64(bitPattern: value))
        case .double(let value): number(2, value.bitPattern)
        case .string(let text):
            number(3, UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        case .blob(let data):
            number(4, UInt64(data.count))
            bytes.append(data)
        }
    }
}

extension ResultsDatabase {
    /// - Throws: `ResultsError.damaged` where the rows of a run are not those that were stored.
    func checkRows(of run: Int64, _ db: Database) throws {
        guard !checkedRuns.withLock({ $0.contains(run) }) else { return }
        guard try RowsCheck.isIntact(run, db) else {
            throw ResultsError.damaged(path: path, message: "the rows of run \(run) are not those that were stored")
        }
        checkedRuns.withLock { _ = $0.insert(run) }
    }
}
