import GRDB

/// Something that is stored of a run, of which a digest is kept beside it.
struct StoredCheck: Sendable {
    /// Where the digests are.
    let table: String
    /// What is digested, under the names of tables, each in an order that does not change; a table that an earlier
    /// version has not is left out.
    let queries: [(table: String, query: String)]

    /// Remembers what is stored now.
    func store(_ run: Int64, _ db: Database) throws {
        try db.execute(sql: "INSERT OR REPLACE INTO \(table) (run, sha256) VALUES (?, ?)", arguments: [run, try digest(run, db)])
    }

    /// Whether what is stored is what was remembered.
    /// - Parameter unknown: what is said where nothing was remembered, as of a program that remembered nothing.
    func isIntact(_ run: Int64, _ db: Database, unknown: Bool = true) throws -> Bool {
        guard try db.tableExists(table),
            let stored = try String.fetchOne(db, sql: "SELECT sha256 FROM \(table) WHERE run = ?", arguments: [run])
        else { return unknown }
        return try digest(run, db) == stored
    }

    private func digest(_ run: Int64, _ db: Database) throws -> String {
        var digest = StoredDigest()
        for (table, query) in queries where try db.tableExists(table) { try digest.add(table, query, of: run, db) }
        return digest.value
    }
}
