import GRDB

extension StoredCheck {
    /// A digest of the stored rows of a run, so that bytes that change on the disk are not believed: SQLite itself
    /// notices only what breaks the form of its pages.
    ///
    /// It is taken of the rows as the database has them, not of what was to be stored. A database of an earlier
    /// version has none for its runs, and they are taken as they are.
    static let rows = StoredCheck(
        table: "rows_check",
        queries: [
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
        ])
}

extension ResultsDatabase {
    /// - Throws: `ResultsError.damaged` where what is stored of a run, or the rows that are its own, is not what was left.
    func check(_ run: StoredRun, _ db: Database) throws {
        try checkRun(run.id, db)
        guard let rows = run.rowsRun, !checkedRuns.withLock({ $0.contains(rows) }) else { return }
        try checkRun(rows, db)
        guard try StoredCheck.rows.isIntact(rows, db) else {
            throw ResultsError.damaged(path: path, message: "the rows of run \(rows) are not those that were stored")
        }
        checkedRuns.withLock { _ = $0.insert(rows) }
    }

    /// - Throws: `ResultsError.damaged` where what is stored of a run is not what it left.
    func checkRun(_ run: Int64, _ db: Database) throws {
        guard try StoredCheck.run.isIntact(run, db) else {
            throw ResultsError.damaged(path: path, message: "what is stored of run \(run) is not what it left")
        }
    }
}
