import Foundation
import Foundations
import GRDB
import Pipeline

extension ResultsDatabase {
    // MARK: Runs

    /// All runs, or those of one experiment, the latest first.
    /// - Throws: `ResultsError`.
    public func runs(of experiment: String? = nil) throws -> [StoredRun] {
        try fetchRuns(
            where: "?1 IS NULL OR experiment = ?1", arguments: [experiment])
    }

    /// - Throws: `ResultsError.noSuchRun`.
    public func run(_ id: Int64) throws -> StoredRun {
        guard let run = try fetchRuns(where: "id = ?", arguments: [id]).first else {
            throw ResultsError.noSuchRun(path: path, run: id)
        }
        return run
    }

    /// The latest run of an experiment that was done, or that is merely not to be trusted if
    /// `ending` says so; nil where there is none.
    ///
    /// A later run that is not what it left might have been it: that is an error. What is damaged of earlier runs is of no
    /// account.
    /// - Throws: `ResultsError`.
    public func latestRun(of experiment: String, ending: RunEnding = .done) throws -> StoredRun? {
        try read { db in
            // In the order of the table itself: an index may have come apart from it.
            let runs = try Row.fetchCursor(
                db, sql: "SELECT id, experiment, state FROM run NOT INDEXED ORDER BY id DESC")
            while let run = try runs.next() {
                let row = RowReader(run, path: path, table: "run")
                let id: Int64 = try row.value("id")
                try checkRun(id, db)
                guard try row.value("experiment") == experiment, try row.value("state") == ending.rawValue else {
                    continue
                }
                return try fetchRuns(where: "id = ?", arguments: [id], db).first
            }
            return nil
        }
    }

    private func fetchRuns(where condition: String, arguments: StatementArguments) throws -> [StoredRun] {
        try read { try fetchRuns(where: condition, arguments: arguments, $0) }
    }

    private func fetchRuns(where condition: String, arguments: StatementArguments, _ db: Database) throws -> [StoredRun]
    {
        try Row.fetchAll(
            db,
            sql: """
                SELECT run.*, spec.text AS spec_text
                FROM run NOT INDEXED LEFT JOIN spec ON spec.digest = run.spec_digest
                WHERE \(condition) ORDER BY id DESC
                """, arguments: arguments
        ).map { try storedRun($0) }
    }

    private func storedRun(_ row: Row) throws -> StoredRun {
        let reader = RowReader(row, path: path, table: "run")
        let host = HostDescription(
            name: try reader.value("host"), cpu: try reader.value("cpu"),
            cores: try reader.value("cores"))
        let startTicks: Int64 = try reader.value("pid_start")
        let process = ProcessIdentity(
            host: host.name, bootID: try reader.value("boot_id"), pid: try reader.value("pid"),
            startTicks: UInt64(bitPattern: startTicks))
        let stateName: String = try reader.value("state")
        let state: RunState
        if stateName == "running" {
            state = process.isRunning == false ? .abandoned : .running
        } else {
            state = .ended(try reader.choice("state"))
        }
        let versions: String = try reader.value("versions")
        guard
            let versions = try? JSONDecoder().decode(
                [String: String].self, from: Data(versions.utf8))
        else { throw reader.failure("versions") }
        let (specText, specDigest): (String?, String) = (
            try reader.optional("spec_text"), try reader.value("spec_digest")
        )
        guard let specText, Digest.sha256(of: Data(specText.utf8)) == specDigest else {
            throw ResultsError.damaged(path: path, message: "the text of a spec is not the one that was stored")
        }
        return StoredRun(
            id: try reader.value("id"), experiment: try reader.value("experiment"),
            specPath: try reader.value("spec_path"), specText: specText, specDigest: specDigest,
            commit: try reader.optional("commit_id"),
            isDirty: try reader.value("dirty"), host: host,
            blasCore: try reader.value("blas_core"), blasThreads: try reader.value("blas_threads"),
            versions: versions, isPartial: try reader.value("partial"), process: process,
            startedAt: try reader.value("started_at"), endedAt: try reader.optional("ended_at"),
            seconds: try reader.optional("seconds"), state: state,
            message: try reader.optional("message"), rowsRun: try reader.optional("rows_run"))
    }

    // MARK: Rows

    /// The metrics of a run, in the order in which they were written.
    /// - Parameter withTerms: also what every image adds to each, where that is stored.
    /// - Throws: `ResultsError`.
    public func metrics(of run: StoredRun, withTerms: Bool = false) throws -> [Metric] {
        try read { db in
            try check(run, db)
            guard let rowsRun = run.rowsRun else { return [] }
            let subjects = try subjects("metric", column: "subject", of: rowsRun, db)
            let terms = withTerms && schema >= 2 ? try StoredTerms.fetch(of: rowsRun, path: path, db) : [:]
            let columns = MetricColumn.all(in: schema)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM metric WHERE run = ? ORDER BY id", arguments: [rowsRun]
            ).map { row in
                let reader = RowReader(row, path: path, table: "metric")
                let id: Int64 = try reader.value("id")
                var metric = try reader.metric(columns, subject: subjects[id] ?? [:])
                metric.terms = terms[id]
                return metric
            }
        }
    }

    /// The predictions of a run, images in the order of their names.
    /// - Throws: `ResultsError`.
    public func predictions(of run: StoredRun) throws -> [PredictionSet] {
        try read { db in
            try check(run, db)
            guard let rowsRun = run.rowsRun else { return [] }
            let conditions = try subjects("prediction_set", column: "condition", of: rowsRun, db)
            let sets = try Row.fetchAll(
                db, sql: "SELECT id, experiment FROM prediction_set WHERE run = ? ORDER BY id",
                arguments: [rowsRun])
            return try sets.map { row in
                let reader = RowReader(row, path: path, table: "prediction_set")
                let id: Int64 = try reader.value("id")
                let predictions = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT image, label, prediction, margin FROM prediction
                        WHERE prediction_set = ? ORDER BY image
                        """, arguments: [id]
                ).map { row in
                    let reader = RowReader(row, path: path, table: "prediction")
                    return Prediction(
                        imageID: try reader.value("image"), label: try reader.value("label"),
                        prediction: try reader.value("prediction"),
                        margin: try reader.optional("margin"))
                }
                return PredictionSet(
                    experiment: try reader.value("experiment"), condition: conditions[id] ?? [:],
                    predictions: predictions)
            }
        }
    }

    /// How the metrics of a run are set as tables; empty for a run of a program that did not store it.
    /// - Throws: `ResultsError`.
    public func layouts(of run: StoredRun) throws -> [TableLayout] {
        try read { db in
            try check(run, db)
            guard let rowsRun = run.rowsRun, schema >= 2 else { return [] }
            return try Row.fetchAll(
                db, sql: "SELECT layout FROM table_layout WHERE run = ? ORDER BY position", arguments: [rowsRun]
            ).map { row in
                let reader = RowReader(row, path: path, table: "table_layout")
                let text: String = try reader.value("layout")
                guard let layout = try? ArtefactJSON.decode(TableLayout.self, from: Data(text.utf8)) else {
                    throw reader.failure("layout")
                }
                return layout
            }
        }
    }

    /// The files that a run left beside the database, by name.
    /// - Throws: `ResultsError`.
    public func attachments(of run: StoredRun) throws -> [StoredAttachment] {
        try read { db in
            try check(run, db)
            guard let rowsRun = run.rowsRun, schema >= 2 else { return [] }
            return try Row.fetchAll(
                db, sql: "SELECT name, file, sha256 FROM attachment WHERE run = ? ORDER BY name", arguments: [rowsRun]
            ).map { row in
                let reader = RowReader(row, path: path, table: "attachment")
                return StoredAttachment(
                    name: try reader.value("name"), file: try reader.value("file"), sha256: try reader.value("sha256"))
            }
        }
    }

    /// The steps of a run; empty for one that computed nothing and repeats an earlier run's rows.
    /// - Throws: `ResultsError`.
    public func steps(of run: Int64) throws -> [StoredStep] {
        try read { db in
            try checkRun(run, db)
            return try Row.fetchAll(
                db, sql: "SELECT * FROM step WHERE run = ? ORDER BY position", arguments: [run]
            ).map { row in
                let reader = RowReader(row, path: path, table: "step")
                return StoredStep(
                    kind: try reader.value("kind"), label: try reader.value("label"),
                    key: try reader.value("key"), status: try reader.choice("status"),
                    seconds: try reader.value("seconds"))
            }
        }
    }

    /// The work behind every step that a run has computed, by its key: the latest run that did, and how long it took.
    /// What is stored of a run and is not what it left is passed over.
    /// - Throws: `ResultsError`.
    func computedSteps() throws -> [String: (run: Int64, seconds: Double)] {
        try read { db in
            var intact: [Int64: Bool] = [:]
            return try Row.fetchAll(
                db, sql: "SELECT run, key, seconds FROM step WHERE status = 'computed' ORDER BY run"
            ).reduce(into: [:]) { steps, row in
                let reader = RowReader(row, path: path, table: "step")
                let run: Int64 = try reader.value("run")
                if intact[run] == nil { intact[run] = try StoredCheck.run.isIntact(run, db) }
                if intact[run] == true { steps[try reader.value("key")] = (run, try reader.value("seconds")) }
            }
        }
    }

    /// The objects of a column by row: SQLite walks their members in the stored order, which
    /// decoders into dictionaries lose.
    private func subjects(
        _ table: String, column: String, of run: Int64, _ db: Database
    ) throws -> [Int64: Subject] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT \(table).id, json.key, json.value
                FROM \(table), json_each(\(table).\(column)) AS json
                WHERE \(table).run = ? ORDER BY \(table).id, json.id
                """, arguments: [run])
        var subjects: [Int64: Subject] = [:]
        for row in rows {
            let reader = RowReader(row, path: path, table: table)
            let column = Subject.Column(try reader.value("key"), try reader.value("value"))
            subjects[try reader.value("id"), default: [:]].columns.append(column)
        }
        return subjects
    }
}

/// A step as the database has it.
public struct StoredStep: Equatable, Sendable {
    public let kind: String
    public let label: String
    public let key: String
    public let status: StepOutcome.Status
    public let seconds: Double
}
