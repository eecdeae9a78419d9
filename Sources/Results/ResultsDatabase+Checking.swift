import GRDB

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
