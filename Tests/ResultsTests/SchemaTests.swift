import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

/// What a database declares, held against what a results database of its version declares.
@Suite struct SchemaTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
        try Sample.database(at: url)
    }

    private func change(_ sql: String) throws {
        let queue = try DatabaseQueue(path: url.path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// By readers and writers alike, before anything is changed.
    private func expectRefused(_ words: String..., sourceLocation: SourceLocation = #_sourceLocation) throws {
        let before = try Data(contentsOf: url)
        for open in [{ _ = try DatabaseView(of: url) }, { _ = try ResultsDatabase(writingTo: url) }]
            as [() throws -> Void]
        {
            let error = #expect(throws: ResultsError.self, sourceLocation: sourceLocation) { try open() }
            guard case .damaged(url.path, let message) = error else {
                Issue.record("\(String(describing: error))", sourceLocation: sourceLocation)
                continue
            }
            for word in words { #expect(message.contains(word), "\(message)", sourceLocation: sourceLocation) }
        }
        #expect(
            try Data(contentsOf: url) == before && folder.names() == ["results.sqlite"], sourceLocation: sourceLocation)
    }

    @Test(arguments: [
        ("trigger 'spy'", "CREATE TRIGGER spy AFTER INSERT ON run BEGIN DELETE FROM metric; END"),
        ("view 'mine'", "CREATE VIEW mine AS SELECT 1"),
        ("index 'quick'", "CREATE INDEX quick ON metric (name)"), ("table 'notes'", "CREATE TABLE notes (x)"),
        (
            "view 'run_metric'",
            "DROP VIEW run_metric; CREATE VIEW run_metric AS SELECT run.id AS of_run, metric.* FROM run JOIN metric"
        ),
        ("table 'run_check'", "ALTER TABLE run_check ADD COLUMN other TEXT"),
        ("index 'metric_by_run'", "DROP INDEX metric_by_run"),
        ("table 'claim_check'", "DROP TABLE claim_check"),
        ("table 'metric'", "ALTER TABLE metric RENAME COLUMN note TO notes"),
    ]) func whatAStrangerDeclaredOrTookAwayIsNamed(name: String, change: String) throws {
        try self.change(change)
        try expectRefused(name)
    }

    @Test(arguments: [
        "json_valid(subject)", "status = 'ok'", "ON DELETE CASCADE", "'not_run'", "CREATE INDEX metric_by_run",
        "UNIQUE (run, experiment", "STRICT",
    ])
    func aByteOfADeclarationIsMissed(declaration: String) throws {
        let data = try Data(contentsOf: url)
        // Read as the text that it is, each byte of it another letter.
        let place = try #require(data.range(of: Data(declaration.utf8)))
        for position in place {
            var damaged = data
            damaged[position] ^= 2
            try damaged.write(to: url)
            try expectRefused()
        }
    }

    @Test(arguments: [-1, .min, 0, 1, 2, 3] as [Int32]) func aVersionThatIsNotThatOfTheTablesIsDamage(version: Int32)
        throws
    {
        try change("PRAGMA user_version = \(version)")
        // The version before the latest has the same tables, but not the same columns.
        try expectRefused(
            version == 3 ? "table 'metric'" : "version \(version)".replacing("version -", with: "version is -"))
    }

    @Test func whatSQLiteKeepsForPlanningIsNobodys() throws {
        try change("ANALYZE")
        let database = try DatabaseView(of: url)
        #expect(try database.read { try $0.runs().count } == 1)
        try ResultsDatabase(writingTo: url).close()
    }
}

/// A database that has runs of several versions, the latest of which adds a column.
@Suite struct AddedColumnTests {
    private let folder: TemporaryFolder
    private let url: URL
    private let next = Schema(additions: Schema.current.additions + ["ALTER TABLE metric ADD COLUMN device TEXT"])
    /// The digests of a program that knows of the column.
    private var rows: StoredCheck {
        var rows = StoredCheck.rows
        rows.parts.append(
            .init(
                table: "metric", query: "SELECT id, device FROM metric WHERE run = ? ORDER BY id", since: next.version))
        return rows
    }

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
    }

    @Test(arguments: [2, 3]) func earlierRunsStayValidAndAreCompared(version: Int) throws {
        try FileManager.default.copyItem(at: Fixture.file("results-v\(version).sqlite"), to: url)
        let before = try DatabaseView(of: url).read { try $0.comparedRuns() }
        let database = try ResultsDatabase(writingTo: url, tables: next)
        let earlier = try #require(try database.runs().last)
        let run = try database.begin(Sample.description(experiment: "sparse-text"))
        try database.end(
            run, as: .done,
            rows: RunRows(metrics: Sample.metrics, predictions: [Sample.predictions()], layouts: [Sample.layout("new")])
        )
        try database.withoutTransaction {
            try $0.execute(sql: "UPDATE metric SET device = 'cpu' WHERE run = \(run.id)")
        }
        try database.write { try rows.store(run.id, $0, version: next.version) }
        func areIntact() throws -> [Bool] {
            try database.read { db in try [earlier.id, run.id].map { try rows.isIntact($0, db, unknown: false) } }
        }
        #expect(try areIntact() == [true, true])

        // The column is in the digests of the runs that have it, and no others.
        try database.withoutTransaction {
            try $0.execute(sql: "UPDATE metric SET device = 'gpu' WHERE run = \(earlier.id)")
        }
        #expect(try areIntact() == [true, true])
        try database.withoutTransaction {
            try $0.execute(sql: "UPDATE metric SET device = 'gpu' WHERE run = \(run.id)")
        }
        #expect(try areIntact() == [true, false])
        try database.withoutTransaction {
            try $0.execute(sql: "UPDATE metric SET device = 'cpu' WHERE run = \(run.id)")
        }
        try database.withoutTransaction {
            try $0.execute(sql: "UPDATE metric SET note = 'x' WHERE run = \(earlier.id)")
        }
        #expect(try areIntact() == [false, true])
        try database.close()

        // Read by a program of that version: nothing is missing, and this one says what it takes.
        try FileManager.default.removeItem(at: url)
        try FileManager.default.copyItem(at: Fixture.file("results-v\(version).sqlite"), to: url)
        let both = try ResultsDatabase(writingTo: url, tables: next)
        let second = try both.begin(Sample.description(experiment: "sparse-text"))
        try both.end(second, as: .done, rows: RunRows(metrics: Sample.metrics, layouts: [Sample.layout("new")]))
        let after = try both.comparedRuns()
        #expect(after.count == before.count + 1)
        let comparison = Comparison(base: before, head: after, tolerance: 0)
        // All of them are there; that they are of part of the data is another matter.
        #expect(comparison.rows.count >= before[0].metrics.count && comparison.differences == 0)
        #expect(!comparison.rows.contains { $0.outcome == .onlyInBase })
        let page = try ResultsReport(both, folder: folder.url).html()
        #expect(String(decoding: page, as: UTF8.self).contains("sparse-text"))
        try both.close()
        #expect(
            throws: ResultsError.newerSchema(
                path: url.path, found: next.version, supported: Schema.current.version)
        ) { try DatabaseView(of: url) }
    }
}

enum Fixture {
    static func file(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)")
    }
}
