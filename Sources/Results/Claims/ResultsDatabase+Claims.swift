import GRDB

extension StoredCheck {
    /// A digest of the verdicts that a run left, apart from that of its rows: a paper's file may be written anew and the run
    /// repeated, while every row stays.
    static let claims = StoredCheck(
        table: "claim_check",
        parts: [
            Part(
                table: "claim",
                query:
                    "SELECT position, paper, name, words, place, verdict, qualified, because FROM claim WHERE run = ? ORDER BY position"
            )
        ])
}

extension ResultsDatabase {
    func insert(_ verdicts: [ClaimVerdict], of run: Int64, _ db: Database) throws {
        for (position, verdict) in verdicts.enumerated() {
            try db.execute(
                sql: """
                    INSERT INTO claim (run, position, paper, name, words, place, verdict, qualified, because)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run, position, verdict.paper, verdict.name, verdict.words, verdict.place, verdict.verdict.rawValue,
                    verdict.isQualified, verdict.because,
                ])
        }
        try StoredCheck.claims.store(run, db, version: schema)
    }

    /// What became of the papers' claims in a run; empty for one of a program that knew of none.
    /// - Throws: `ResultsError`, `.damaged` where they are not those that were stored.
    public func claims(of run: StoredRun) throws -> [ClaimVerdict] {
        try read { db in
            guard schema >= 3 else { return [] }
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM claim WHERE run = ? ORDER BY position", arguments: [run.id])
            guard try StoredCheck.claims.isIntact(run.id, db, unknown: rows.isEmpty) else {
                throw ResultsError.damaged(
                    path: path, message: "the claims of run \(run.id) are not those that were stored")
            }
            return try rows.map { row in
                let reader = RowReader(row, path: path, table: "claim")
                return ClaimVerdict(
                    paper: try reader.value("paper"), name: try reader.value("name"), words: try reader.value("words"),
                    place: try reader.value("place"), experiment: run.experiment, verdict: try reader.choice("verdict"),
                    isQualified: try reader.value("qualified"), because: try reader.value("because"))
            }
        }
    }
}
