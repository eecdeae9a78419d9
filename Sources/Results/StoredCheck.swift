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

extension StoredCheck {
    /// A digest of the stored rows of a run, so that bytes that change on the disk are not believed: SQLite itself
    /// notices only what breaks the form of its pages.
    ///
    /// It is taken of the rows as the database has them, not of what was to be stored. A database of an earlier
    /// version has none for its runs, and they are taken as they are.
    static let rows = StoredCheck(
        table: "rows_check",
        parts: [
            Part(
                table: "metric",
                query: """
                    SELECT id, run, experiment, world, model, dataset, subject, name, higher_is_better, value, status, unit, n, skipped,
                      ci_lower, ci_upper, ci_level, ci_method, ci_replicates, ci_seed, ci_unit, paper_value, paper_source,
                      paper_half_unit, comparable, partial, verdict, note
                    FROM metric WHERE run = ? ORDER BY id
                    """),
            Part(
                table: "prediction_set",
                query: "SELECT id, run, experiment, condition FROM prediction_set WHERE run = ? ORDER BY id"),
            Part(
                table: "prediction",
                query: """
                    SELECT prediction_set, image, label, prediction, margin
                    FROM prediction_set JOIN prediction ON prediction_set = prediction_set.id
                    WHERE run = ? ORDER BY prediction_set, image
                    """),
            Part(
                table: "term",
                query: """
                    SELECT term.metric, image.name, part, numerator, denominator
                    FROM metric JOIN term ON term.metric = metric.id JOIN image ON image.id = term.image
                    WHERE metric.run = ? ORDER BY term.metric, term.image, part
                    """),
            Part(
                table: "table_layout",
                query: "SELECT run, position, layout FROM table_layout WHERE run = ? ORDER BY position"),
            Part(
                table: "attachment", query: "SELECT run, name, file, sha256 FROM attachment WHERE run = ? ORDER BY name"
            ),
        ] + MetricColumn.all.filter { $0.since > 1 }.map(Part.init(added:)))
}

extension StoredCheck.Part {
    /// - Parameter column: of a later version than the table `metric`.
    fileprivate init(added column: MetricColumn) {
        self.init(
            table: "metric", query: "SELECT id, \(column.name) FROM metric WHERE run = ? ORDER BY id",
            since: column.since)
    }
}

extension StoredCheck {
    /// A digest of what is stored of a run itself, with its steps: by which commit, of which spec, when and where, how it
    /// ended, and the rows of which run are its own.
    ///
    /// It is taken when a run ends. One that never ended has none, nor have runs of programs that did not take it; they are
    /// taken as they are.
    static let run = StoredCheck(
        table: "run_check",
        parts: [
            Part(
                table: "run",
                query: """
                    SELECT id, experiment, spec_path, spec_digest, commit_id, dirty, host, cpu, cores, blas_core, blas_threads, versions,
                      boot_id, pid, pid_start, started_at, ended_at, seconds, state, message, partial, rows_digest, rows_run
                    FROM run WHERE id = ?
                    """),
            Part(
                table: "step",
                query: "SELECT position, kind, label, key, status, seconds FROM step WHERE run = ? ORDER BY position"),
        ])
}
