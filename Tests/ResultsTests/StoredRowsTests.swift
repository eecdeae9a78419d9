import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

/// Rows that change on the disk without breaking the form of the database.
@Suite struct StoredRowsTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
    }

    private static func rows() -> RunRows {
        var metric = Sample.metric(0.25)
        metric.terms = Sample.terms()
        return RunRows(
            metrics: Sample.metrics + [metric], predictions: [Sample.predictions()],
            layouts: [Sample.layout("a table")],
            attachments: [StoredAttachment(name: "n.csv", file: "m-n.csv", sha256: "0")])
    }

    @discardableResult
    private func write() throws -> Int64 {
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: Self.rows())
        try database.close()
        return run.id
    }

    static let changes = [
        "UPDATE metric SET value = value + 1e-9 WHERE id = 1", "UPDATE metric SET note = 'another' WHERE id = 1",
        "UPDATE prediction SET prediction = 'apple' WHERE image = 'val/100000'",
        "UPDATE prediction SET margin = 0.5 WHERE margin IS NULL",
        "DELETE FROM prediction WHERE image = 'val/100002'", "UPDATE prediction_set SET condition = '{}'",
        "UPDATE term SET numerator = 2", "UPDATE image SET name = 'val/2'",
        "UPDATE table_layout SET layout = replace(layout, 'a note', 'b note')", "UPDATE attachment SET sha256 = '1'",
    ]

    @Test(arguments: changes) func aChangedRowIsNotBelieved(change: String) throws {
        let id = try write()
        try DatabaseQueue(path: url.path).write { db in
            try db.execute(sql: change)
            #expect(db.changesCount > 0, "nothing was changed")
        }
        let reader = try ResultsDatabase(readingFrom: url)
        let run = try reader.run(id)
        for read in [
            { _ = try reader.metrics(of: run) }, { _ = try reader.predictions(of: run) },
            { _ = try reader.layouts(of: run) },
            { _ = try reader.attachments(of: run) }, { _ = try reader.comparedRuns() },
        ] as [() throws -> Void] {
            let error = #expect(throws: ResultsError.self) { try read() }
            guard case .damaged(url.path, let message) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(message.contains("run \(id)"))
        }

        // The same rows are stored again instead of being referred to, and that once.
        let (again, third) = (try write(), try write())
        let database = try ResultsDatabase(readingFrom: url)
        #expect(try database.run(again).rowsRun == again && database.run(third).rowsRun == again)
        #expect(try database.metrics(of: database.run(third)).map(\.value) == Self.rows().metrics.map(\.value))
        #expect(try database.predictions(of: database.run(third)) == Self.rows().predictions)
    }

    @Test func aChangedSpecIsNotBelievedAndTheNextRunMendsIt() throws {
        let id = try write()
        try DatabaseQueue(path: url.path).write { try $0.execute(sql: "UPDATE spec SET text = 'a: 2'") }
        let error = #expect(throws: ResultsError.self) { try ResultsDatabase(readingFrom: url).run(id) }
        guard case .damaged = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        try write()
        #expect(try ResultsDatabase(readingFrom: url).run(id).specText == "a: 1\n")
    }

    @Test func runsOfAnEarlierVersionAreTakenAsTheyAre() throws {
        let id = try write()
        try DatabaseQueue(path: url.path).write {
            try $0.execute(sql: "DELETE FROM rows_check; UPDATE metric SET value = 0.5 WHERE id = 1")
        }
        let database = try ResultsDatabase(readingFrom: url)
        #expect(try database.metrics(of: database.run(id))[0].value == 0.5)
    }

    /// Databases keep the digests that earlier programs took, of the columns that those knew.
    @Test func theDigestOfRowsIsTheOneThatItHasAlwaysBeen() throws {
        let database = try ResultsDatabase(writingTo: url)
        // Also of more than is digested at once.
        let runs = try [Self.rows(), RunRows(predictions: [Sample.predictions(count: 20_000)])].map { rows in
            let run = try database.begin(Sample.description())
            try database.end(run, as: .done, rows: rows)
            return run
        }
        try database.close()
        let queue = try DatabaseQueue(path: url.path)
        func digests() throws -> [String] {
            try queue.read { try String.fetchAll($0, sql: "SELECT sha256 FROM rows_check ORDER BY run") }
        }
        #expect(
            try digests() == [
                "4 69fd27105a0e0311f4d61b65285dad81f579657be1ede9b6067a26a5ceffab01",
                "4 9d6d867a9e1f93b7a13d023cd440f586e17cc2578276505181d488108931ce68",
            ])
        try queue.write { db in
            try db.execute(sql: "DELETE FROM rows_check")
            for run in runs { try StoredCheck.rows.store(run.id, db, version: 3) }
        }
        #expect(
            try digests() == [
                "88a2a6aebafd8640e813591f56fc143f807e5c1f3bdd8264cd9e0fa239338cda",
                "7ef1dfc9df07068e924eaa183e490f1f17fd00b2fdb210ca1035d05b723ffaad",
            ])
    }
}
