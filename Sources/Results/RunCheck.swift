import GRDB
import Pipeline

/// A digest of what is stored of a run itself, with its steps: by which commit, of which spec, when and where, how it
/// ended, and the rows of which run are its own.
///
/// It is taken when a run ends. One that never ended has none, nor have runs of programs that did not take it; they are
/// taken as they are.
enum RunCheck {
    /// Named one by one: a column that a later version adds is not in the digests that there are.
    private static let queries = [
        (
            "run",
            """
            SELECT id, experiment, spec_path, spec_digest, commit_id, dirty, host, cpu, cores, blas_core, blas_threads, versions,
              boot_id, pid, pid_start, started_at, ended_at, seconds, state, message, partial, rows_digest, rows_run
            FROM run WHERE id = ?
            """
        ),
        ("step", "SELECT position, kind, label, key, status, seconds FROM step WHERE run = ? ORDER BY position"),
    ]

    /// Remembers what is stored of a run now.
    static func store(_ run: Int64, _ db: Database) throws {
        try db.execute(sql: "INSERT OR REPLACE INTO run_check (run, sha256) VALUES (?, ?)", arguments: [run, try digest(run, db)])
    }

    /// Whether what is stored of a run is what it left.
    static func isIntact(_ run: Int64, _ db: Database) throws -> Bool {
        guard try db.tableExists("run_check"),
            let stored = try String.fetchOne(db, sql: "SELECT sha256 FROM run_check WHERE run = ?", arguments: [run])
        else { return true }
        return try digest(run, db) == stored
    }

    private static func digest(_ run: Int64, _ db: Database) throws -> String {
        var digest = StoredDigest()
        for (table, query) in queries { try digest.add(table, query, of: run, db) }
        return digest.value
    }
}
