import Foundation
import Foundations
import GRDB
import Pipeline

extension ResultsDatabase {
    /// Records that a run has started: should its process die, the run shows as abandoned.
    /// - Throws: `ResultsError`.
    public func begin(_ run: RunDescription) throws -> ActiveRun {
        let start = ContinuousClock.now
        let process = ProcessIdentity.current
        return try write { db in
            try db.execute(
                // A text that is damaged is mended.
                sql:
                    "INSERT INTO spec (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET text = excluded.text",
                arguments: [run.specDigest, run.specText])
            try db.execute(
                sql: """
                    INSERT INTO run (
                      experiment, spec_path, spec_digest, commit_id, dirty, host, cpu, cores,
                      blas_core, blas_threads, versions, boot_id, pid, pid_start, started_at, state,
                      partial
                    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'running', ?)
                    """,
                arguments: [
                    run.experiment, run.specPath, run.specDigest, run.commit, run.isDirty,
                    run.host.name, run.host.cpu, run.host.cores, run.blasCore, run.blasThreads,
                    RowJSON.object(
                        run.versions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }),
                    process.bootID, process.pid, Int64(bitPattern: process.startTicks), Self.now(),
                    run.isPartial,
                ])
            return ActiveRun(id: db.lastInsertedRowID, start: start)
        }
    }

    /// Records how a run ended, with all its rows, in one transaction.
    ///
    /// Rows that are exactly those of an earlier run of the experiment are not stored again: the
    /// run then refers to that run's rows, and repeating a finished run does not make the file
    /// grow by more than the line of the run. Its steps are kept only where one was computed.
    /// - Parameter message: why the run failed or must not be trusted.
    /// - Returns: the run that holds the rows; nil where there are none.
    /// - Throws: `ResultsError`; then nothing of this was stored, and the run is still `running`.
    @discardableResult
    public func end(
        _ run: ActiveRun, as ending: RunEnding, steps: [StepOutcome] = [], rows: RunRows = RunRows(),
        claims: [ClaimVerdict] = [],
        message: String? = nil
    ) throws -> Int64? {
        let seconds = (ContinuousClock.now - run.start).seconds
        let digest = rows.isEmpty ? nil : try RowsDigest.digest(of: rows)
        return try write { db in
            guard
                let experiment = try String.fetchOne(
                    db, sql: "SELECT experiment FROM run WHERE id = ?", arguments: [run.id])
            else { throw ResultsError.noSuchRun(path: path, run: run.id) }

            var rowsRun: Int64?
            if let digest {
                // Rows that are damaged are stored again, not referred to.
                rowsRun = try Int64.fetchAll(
                    db,
                    sql: "SELECT id FROM run WHERE experiment = ? AND rows_digest = ? AND rows_run = id ORDER BY id",
                    arguments: [experiment, digest]
                ).first { try StoredCheck.run.isIntact($0, db) && StoredCheck.rows.isIntact($0, db) }
                if rowsRun == nil {
                    rowsRun = run.id
                    try insert(rows, of: run.id, db)
                    try StoredCheck.rows.store(run.id, db, version: schema)
                }
            }
            if rowsRun == run.id || steps.contains(where: { $0.status == .computed }) {
                for (position, step) in steps.enumerated() {
                    try insert(step, at: position, of: run.id, db)
                }
            }
            try db.execute(
                sql: """
                    UPDATE run SET state = ?, message = ?, ended_at = ?, seconds = ?,
                      rows_digest = ?, rows_run = ? WHERE id = ?
                    """,
                arguments: [
                    ending.rawValue, message, Self.now(), seconds, digest, rowsRun, run.id,
                ])
            try insert(claims, of: run.id, db)
            try StoredCheck.run.store(run.id, db, version: schema)
            return rowsRun
        }
    }

    // MARK: Rows

    private func insert(_ step: StepOutcome, at position: Int, of run: Int64, _ db: Database) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO step (run, position, kind, label, key, status, seconds)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            run, position, step.kind, step.label, step.key.digest, step.status.rawValue,
            step.seconds,
        ])
    }

    private func insert(_ rows: RunRows, of run: Int64, _ db: Database) throws {
        var images = ImageTable(db)
        for metric in rows.metrics {
            try insert(metric, of: run, db)
            // Predictions say the same and more.
            if let terms = metric.terms, !rows.predictions.contains(where: { $0.answers(behind: metric) != nil }) {
                try insert(terms, of: db.lastInsertedRowID, &images, db)
            }
        }
        for set in rows.predictions { try insert(set, of: run, db) }
        for (position, layout) in rows.layouts.enumerated() {
            try db.execute(
                sql: "INSERT INTO table_layout (run, position, layout) VALUES (?, ?, ?)",
                arguments: [run, position, try RowJSON.text(layout)])
        }
        for attachment in rows.attachments {
            try db.execute(
                sql: "INSERT INTO attachment (run, name, file, sha256) VALUES (?, ?, ?, ?)",
                arguments: [run, attachment.name, attachment.file, attachment.sha256])
        }
    }

    private func insert(_ terms: ImageTerms, of metric: Int64, _ images: inout ImageTable, _ db: Database) throws {
        let ids = try terms.images.map { try images.id(of: $0) }
        let statement = try db.cachedStatement(
            sql: "INSERT INTO term (metric, image, part, numerator, denominator) VALUES (?, ?, ?, ?, ?)")
        for term in terms.terms {
            try statement.execute(
                arguments: [metric, ids[term.image], terms.parts[term.part], term.numerator, term.denominator])
        }
    }

    private func insert(_ metric: Metric, of run: Int64, _ db: Database) throws {
        let columns = MetricColumn.all(in: schema)
        let names = ["run"] + columns.map(\.name)
        let values: [(any DatabaseValueConvertible)?] = [run] + columns.map { $0.value(metric).stored }
        try db.cachedStatement(
            sql: """
                INSERT INTO metric (\(names.joined(separator: ", ")))
                VALUES (\(names.map { _ in "?" }.joined(separator: ", ")))
                """
        ).execute(arguments: StatementArguments(values))
    }

    private func insert(_ set: PredictionSet, of run: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT INTO prediction_set (run, experiment, condition) VALUES (?, ?, ?)",
            arguments: [run, set.experiment, RowJSON.object(set.condition)])
        let id = db.lastInsertedRowID
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO prediction (prediction_set, image, label, prediction, margin)
                VALUES (?, ?, ?, ?, ?)
                """)
        // In the order of the primary key, in which the table grows at its end only.
        for row in set.predictions.sorted(by: { $0.imageID < $1.imageID }) {
            try statement.execute(arguments: [
                id, row.imageID, row.label, row.prediction, row.margin,
            ])
        }
    }

    private static func now() -> String {
        Date.now.formatted(.iso8601)
    }
}

/// The names of images, each stored once.
private struct ImageTable {
    private let db: Database
    private var ids: [String: Int64] = [:]

    init(_ db: Database) { self.db = db }

    mutating func id(of name: String) throws -> Int64 {
        if let id = ids[name] { return id }
        let find = try db.cachedStatement(sql: "SELECT id FROM image WHERE name = ?")
        if let id = try Int64.fetchOne(find, arguments: [name]) {
            ids[name] = id
            return id
        }
        try db.cachedStatement(sql: "INSERT INTO image (name) VALUES (?)").execute(arguments: [name])
        ids[name] = db.lastInsertedRowID
        return db.lastInsertedRowID
    }
}
