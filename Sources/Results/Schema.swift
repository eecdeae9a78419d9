import Foundation
import GRDB

/// The tables of a results database.
struct Schema: Sendable {
    static let current = Schema(tables: [version1, version2, version3], columns: MetricColumn.all)
    /// Stored as `application_id`, "CLPL": tells a results database from any other.
    static let applicationID: Int32 = 0x434C_504C

    /// What each version added to the one before it.
    let additions: [String]
    /// Stored as `user_version`. A database of a later version is refused, not guessed at; one of an earlier version is
    /// brought up to date by whoever writes to it, and read as it is.
    var version: Int { additions.count }

    init(additions: [String]) { self.additions = additions }

    /// - Parameters:
    ///   - tables: that each version added.
    ///   - columns: of `metric`, of which those of the first version are in its table.
    init(tables: [String], columns: [MetricColumn]) {
        let latest = max(tables.count, columns.map(\.since).max() ?? 1)
        additions = (1...latest).map { version in
            let added = columns.filter { $0.since == version && version > 1 }.map {
                "ALTER TABLE metric ADD COLUMN \($0.name) \($0.kind.rawValue);"
            }
            return (tables.dropFirst(version - 1).prefix(1) + added).joined(separator: "\n")
        }
    }

    /// Makes the tables of an empty database, and those that an earlier version lacks; nothing that is there is
    /// changed. Two processes may try at once: the second waits for the first and finds its work done.
    func prepare(_ db: Database, path: String) throws {
        guard try check(db, path: path) < version || !Self.missing(db).isEmpty else { return }
        try db.inTransaction(.immediate) {
            for step in additions[try check(db, path: path)...] { try db.execute(sql: step) }
            for table in try Self.missing(db) { try db.execute(sql: table.sql) }
            try db.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
            try db.execute(sql: "PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// - Returns: the version of the tables; 0 where there are none.
    /// - Throws: `ResultsError.notAResultsDatabase`, `.newerSchema`, `.damaged` where what is declared is not all that a
    ///   version has, and nothing else.
    @discardableResult
    func check(_ db: Database, path: String) throws -> Int {
        guard !db.isInsideTransaction else { return try found(db, path: path) }
        var version = 0
        // Another process may be bringing it up to date.
        try db.inTransaction(.deferred) {
            version = try found(db, path: path)
            return .commit
        }
        return version
    }

    private func found(_ db: Database, path: String) throws -> Int {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let objects = try Self.objects(db)
        guard application == Self.applicationID || (objects.isEmpty && found == 0) else {
            throw ResultsError.notAResultsDatabase(path: path)
        }
        guard found <= version else {
            throw ResultsError.newerSchema(path: path, found: found, supported: version)
        }
        func damaged(_ message: String) -> ResultsError { .damaged(path: path, message: message) }
        guard found >= 0 else { throw damaged("its version is \(found)") }
        let absent = Set(found == 0 ? Self.unversioned.map(\.name) : try Self.missing(db).map(\.name))
        let expected = try DatabaseQueue().writeWithoutTransaction { db in
            for step in additions.prefix(found) { try db.execute(sql: step) }
            for table in Self.unversioned where !absent.contains(table.name) { try db.execute(sql: table.sql) }
            return try Self.objects(db)
        }
        for object in objects.keys.sorted() where expected[object] == nil {
            throw damaged("the \(object) is no part of a results database of version \(found)")
        }
        for (object, declaration) in expected.sorted(by: { $0.key < $1.key }) where objects[object] != declaration {
            throw damaged("the \(object) is \(objects[object] == nil ? "missing" : "not declared as it was")")
        }
        return found
    }

    /// The declarations of tables, indices, views and triggers, without comments and line breaks. What SQLite keeps of its
    /// own for planning is left out.
    private static func objects(_ db: Database) throws -> [String: String] {
        let rows = try Row.fetchAll(db, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema")
        return rows.reduce(into: [:]) { objects, row in
            let texts = (0..<4).map { String.fromDatabaseValue(row[$0]) ?? "" }
            guard !(texts[0] == "table" && texts[1].hasPrefix("sqlite_stat")) else { return }
            let lines = texts[3].split(separator: "\n").map { $0.components(separatedBy: "--")[0] }
            objects["\(texts[0]) '\(texts[1])'"] =
                ([texts[2]] + lines.flatMap { $0.split(separator: " ") }.map(String.init)).joined(separator: " ")
        }
    }

    /// The tables that are not of a version and are not there. Asked of the file: GRDB may remember how it was before another
    /// process changed it.
    private static func missing(_ db: Database) throws -> [(name: String, sql: String)] {
        let found = Set(try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table'"))
        return unversioned.filter { !found.contains($0.name) }
    }

    /// Not of a version: a program that does not know of it reads and writes the database as before.
    private static let unversioned: [(name: String, sql: String)] = [("run_check", runCheck)]

    /// Since then an interval by formula has no seed, which earlier programs cannot read.
    private static let version3 = """
        -- What became of the papers' claims by the rows of a run.
        CREATE TABLE claim (
          run        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          position   INTEGER NOT NULL,
          paper      TEXT NOT NULL,
          name       TEXT NOT NULL,
          words      TEXT NOT NULL,
          place      TEXT NOT NULL,            -- where the paper makes it
          verdict    TEXT NOT NULL
                     CHECK (verdict IN ('holds', 'fails', 'undecided', 'depends', 'not measured')),
          qualified  INTEGER NOT NULL CHECK (qualified IN (0, 1)),
          because    TEXT NOT NULL,
          PRIMARY KEY (run, position)
        ) STRICT, WITHOUT ROWID;

        -- Of the claims of a run as they are stored here.
        CREATE TABLE claim_check (
          run    INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
          sha256 TEXT NOT NULL
        ) STRICT;
        """

    private static let runCheck = """
        -- Of what is stored of a run itself and of its steps, since it ended.
        CREATE TABLE run_check (
          run    INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
          sha256 TEXT NOT NULL
        ) STRICT;
        """

    private static let version2 = """
        CREATE TABLE image (
          id   INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE
        ) STRICT;

        -- What an image adds to a number: value = mean over parts of sum(numerator) / sum(denominator).
        CREATE TABLE term (
          metric      INTEGER NOT NULL REFERENCES metric (id) ON DELETE CASCADE,
          image       INTEGER NOT NULL REFERENCES image (id),
          part        TEXT NOT NULL,           -- such as a class; '' where there is only one
          numerator   REAL NOT NULL,
          denominator REAL NOT NULL,
          PRIMARY KEY (metric, image, part)
        ) STRICT, WITHOUT ROWID;

        -- How the metrics of a run are set as tables.
        CREATE TABLE table_layout (
          run      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          layout   TEXT NOT NULL CHECK (json_valid(layout)),
          PRIMARY KEY (run, position)
        ) STRICT, WITHOUT ROWID;

        -- Files beside the database.
        CREATE TABLE attachment (
          run    INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          name   TEXT NOT NULL,                -- as the experiment calls it
          file   TEXT NOT NULL,                -- in the results folder
          sha256 TEXT NOT NULL,
          PRIMARY KEY (run, name)
        ) STRICT, WITHOUT ROWID;

        -- Of the rows of a run as they are stored here.
        CREATE TABLE rows_check (
          run    INTEGER PRIMARY KEY REFERENCES run (id) ON DELETE CASCADE,
          sha256 TEXT NOT NULL
        ) STRICT;
        """

    private static let version1 = """
        CREATE TABLE spec (
          digest TEXT PRIMARY KEY,             -- SHA-256 of the text
          text   TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE run (
          id           INTEGER PRIMARY KEY,
          experiment   TEXT NOT NULL,
          spec_path    TEXT NOT NULL,
          spec_digest  TEXT NOT NULL REFERENCES spec (digest),
          commit_id    TEXT,                   -- of the program; NULL outside a repository
          dirty        INTEGER NOT NULL CHECK (dirty IN (0, 1)),
          host         TEXT NOT NULL,
          cpu          TEXT NOT NULL,
          cores        INTEGER NOT NULL,
          blas_core    TEXT NOT NULL,
          blas_threads INTEGER NOT NULL,
          versions     TEXT NOT NULL CHECK (json_valid(versions)),
          boot_id      TEXT NOT NULL,          -- with pid and pid_start: the process of the run
          pid          INTEGER NOT NULL,
          pid_start    INTEGER NOT NULL,       -- clock ticks since boot
          started_at   TEXT NOT NULL,          -- UTC, for people
          ended_at     TEXT,
          seconds      REAL,                   -- monotonic
          state        TEXT NOT NULL
                       CHECK (state IN ('running', 'done', 'failed', 'interrupted', 'untrusted')),
          message      TEXT,                   -- why it failed or must not be trusted
          partial      INTEGER NOT NULL CHECK (partial IN (0, 1)),
          rows_digest  TEXT,                   -- of everything below that is of a run
          rows_run     INTEGER REFERENCES run (id)  -- the run that holds them: this or an earlier one
        ) STRICT;
        CREATE INDEX run_by_rows ON run (experiment, rows_digest);

        CREATE TABLE step (
          run      INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          position INTEGER NOT NULL,
          kind     TEXT NOT NULL,
          label    TEXT NOT NULL,
          key      TEXT NOT NULL,
          status   TEXT NOT NULL CHECK (status IN ('computed', 'reused', 'not_needed')),
          seconds  REAL NOT NULL,
          PRIMARY KEY (run, position)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE metric (
          id               INTEGER PRIMARY KEY,
          run              INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          experiment       TEXT NOT NULL,
          world            TEXT NOT NULL,
          model            TEXT NOT NULL,
          dataset          TEXT NOT NULL,
          subject          TEXT NOT NULL CHECK (json_valid(subject)),  -- {"layer":"9", …}, in order
          name             TEXT NOT NULL,
          higher_is_better INTEGER NOT NULL CHECK (higher_is_better IN (0, 1)),
          value            REAL,
          status           TEXT NOT NULL
                           CHECK (status IN ('ok', 'nan', 'inf', 'empty', 'failed', 'not_run')),
          unit             TEXT NOT NULL,
          n                INTEGER NOT NULL,
          skipped          INTEGER NOT NULL,
          ci_lower         REAL,
          ci_upper         REAL,
          ci_level         REAL,
          ci_method        TEXT,
          ci_replicates    INTEGER,
          ci_seed          TEXT,               -- unsigned 64 bits, in decimal
          ci_unit          TEXT,
          paper_value      REAL,
          paper_source     TEXT,
          paper_half_unit  REAL,
          comparable       INTEGER NOT NULL CHECK (comparable IN (0, 1)),
          partial          INTEGER NOT NULL CHECK (partial IN (0, 1)),
          verdict          TEXT NOT NULL,
          note             TEXT,
          CHECK ((value IS NOT NULL) = (status = 'ok'))
        ) STRICT;
        CREATE INDEX metric_by_run ON metric (run);

        CREATE TABLE prediction_set (
          id         INTEGER PRIMARY KEY,
          run        INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
          experiment TEXT NOT NULL,
          condition  TEXT NOT NULL CHECK (json_valid(condition)),
          UNIQUE (run, experiment, condition)
        ) STRICT;

        CREATE TABLE prediction (
          prediction_set INTEGER NOT NULL REFERENCES prediction_set (id) ON DELETE CASCADE,
          image          TEXT NOT NULL,
          label          TEXT NOT NULL,
          prediction     TEXT NOT NULL,
          margin         REAL,
          PRIMARY KEY (prediction_set, image)
        ) STRICT, WITHOUT ROWID;

        -- The metrics of every run, also of one that repeats the rows of an earlier run.
        CREATE VIEW run_metric AS
          SELECT run.id AS of_run, metric.* FROM run JOIN metric ON metric.run = run.rows_run;
        """
}
