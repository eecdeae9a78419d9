import GRDB

/// Something that is stored of a run, of which a digest is kept beside it.
struct StoredCheck: Sendable {
    /// Where the digests are.
    let table: String
    /// What is digested, in this order.
    var parts: [Part]

    struct Part: Sendable {
        let table: String
        /// Names its columns one by one, in an order of rows that does not change: a column that a later version adds is
        /// not in the digests that there are.
        let query: String
        /// The version of the database from which on digests are of this part, too: what a version adds to a table that was
        /// there before is a part of its own.
        var since = 1
    }

    /// Up to here digests do not say of which version they are.
    private static let silent = 3

    /// Remembers what is stored now.
    /// - Parameter version: of the database.
    func store(_ run: Int64, _ db: Database, version: Int) throws {
        let digest = (version > Self.silent ? "\(version) " : "") + (try digest(run, db, version: version))
        try db.execute(sql: "INSERT OR REPLACE INTO \(table) (run, sha256) VALUES (?, ?)", arguments: [run, digest])
    }

    /// Whether what is stored is what was remembered.
    /// - Parameter unknown: what is said where nothing was remembered, as of a program that remembered nothing.
    func isIntact(_ run: Int64, _ db: Database, unknown: Bool = true) throws -> Bool {
        guard try db.tableExists(table),
            let stored = try String.fetchOne(db, sql: "SELECT sha256 FROM \(table) WHERE run = ?", arguments: [run])
        else { return unknown }
        let words = stored.split(separator: " ")
        guard let digest = words.last, let version = words.count == 1 ? Self.silent : Int(words[0]) else {
            return false
        }
        return try self.digest(run, db, version: version) == digest
    }

    /// A table that an earlier version has not is left out.
    private func digest(_ run: Int64, _ db: Database, version: Int) throws -> String {
        var digest = StoredDigest()
        for part in parts where try part.since <= version && db.tableExists(part.table) {
            try digest.add(part.table, part.query, of: run, db)
        }
        return digest.value
    }
}
