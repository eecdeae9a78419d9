import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

/// What is stored of a run itself, changed on the disk without breaking the form of the database.
@Suite struct StoredRunTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
    }

    /// A run of two steps, both computed.
    private func write(_ values: [Double] = [0.25]) throws -> Int64 {
        var graph = Graph()
        let first = try graph.add(Step(kind: "fit", version: 1, work: .single { _ in Number(value: 1) }))
        try graph.add(Step(kind: "table", version: 1, inputs: [first.erased], work: .single { try $0[first] }))
        let outcomes = try Executor(graph, in: ResultsFolder(folder.url), options: .init(force: .everything)).run()
            .outcomes
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        try database.end(
            run, as: .done, steps: outcomes, rows: RunRows(metrics: values.map { Sample.metric($0) }), message: "a word"
        )
        try database.close()
        return run.id
    }

    /// Changes as a disk would: without regard for references.
    private func change(_ sql: String) throws {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        try DatabaseQueue(path: url.path, configuration: configuration).write { db in
            try db.execute(sql: sql)
            #expect(db.changesCount > 0, "nothing was changed")
        }
    }

    private func expectDamaged(
        _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ read: () throws -> Void
    ) {
        let error = #expect(throws: ResultsError.self, "\(what)", sourceLocation: sourceLocation) { try read() }
        guard case .damaged(url.path, _) = error else {
            Issue.record("\(what): \(String(describing: error))", sourceLocation: sourceLocation)
            return
        }
    }

    static let columns = [
        "experiment = 'sparse-text'", "spec_path = 'experiments/y.yaml'", "commit_id = '1123abcd'", "commit_id = NULL",
        "dirty = 0", "host = 'another'", "cpu = 'b'", "cores = 3",
        "blas_core = 'Zen'", "blas_threads = 2", "versions = '{}'", "boot_id = 'b'", "pid = pid + 1",
        "pid_start = pid_start + 1",
        "started_at = '2020-01-01T00:00:00Z'", "ended_at = NULL", "seconds = seconds + 1e-9", "state = 'interrupted'",
        "message = NULL", "partial = 1",
        "rows_digest = '0'", "rows_run = NULL", "rows_run = 1",
    ]

    @Test(arguments: columns) func aRunThatIsNotAsItWasIsNotBelieved(change: String) throws {
        let (other, id) = (try write([0.5]), try write())
        try self.change("UPDATE run SET \(change) WHERE id = \(id)")
        let reader = try ResultsDatabase(readingFrom: url)
        let run = try reader.run(id)
        for read in [
            { _ = try reader.metrics(of: run) }, { _ = try reader.predictions(of: run) },
            { _ = try reader.layouts(of: run) },
            { _ = try reader.attachments(of: run) }, { _ = try reader.steps(of: id) },
        ] as [() throws -> Void] {
            expectDamaged(change, read)
        }
        // The others are as they were.
        #expect(try reader.metrics(of: reader.run(other)).map(\.value) == [0.5])
        try reader.close()

        // The same rows are stored again instead of being referred to, and the latest run is read.
        let again = try write()
        let database = try ResultsDatabase(readingFrom: url)
        let latest = try #require(try database.latestRun(of: "mean-ablation"))
        #expect(latest.id == again && latest.rowsRun == again)
        #expect(try database.metrics(of: latest).map(\.value) == [0.25])
    }

    @Test(arguments: ["key = '0'", "status = 'reused'", "seconds = 0", "kind = 'fat'", "label = 'x'"])
    func aStepThatIsNotAsItWasIsNotBelieved(change: String) throws {
        let id = try write()
        try self.change("UPDATE step SET \(change) WHERE run = \(id) AND position = 1")
        let reader = try ResultsDatabase(readingFrom: url)
        expectDamaged(change) { _ = try reader.steps(of: id) }
        expectDamaged(change) { _ = try reader.metrics(of: reader.run(id)) }
        #expect(try reader.computedSteps().isEmpty)
    }

    /// No digest is kept of a run that has not ended: whatever byte of its row is lost, reading ends with an error or a value.
    @Test func aByteThatIsLostOfARunThatNeverEndedIsNoTrap() throws {
        let database = try ResultsDatabase(writingTo: url)
        _ = try database.begin(Sample.description())
        try database.close()
        let bytes = try Data(contentsOf: url)
        let state = try #require(bytes.range(of: Data("running".utf8), options: .backwards))
        let copy = url.deletingLastPathComponent().appendingPathComponent("copy.sqlite")
        for place in state.lowerBound - 200..<state.upperBound + 8 where bytes[place] != 0 {
            var lost = bytes
            lost[place] = 0
            try lost.write(to: copy)
            do {
                let reader = try ResultsDatabase(readingFrom: copy)
                _ = try reader.latestRun(of: "mean-ablation", ending: .failed)
            } catch is ResultsError {}
            do { _ = try ResultsDatabase(readingFrom: copy).runs() } catch is ResultsError {}
            do { _ = try ResultsDatabase(readingFrom: copy).computedSteps() } catch is ResultsError {}
        }
    }

    @Test func aStepThatIsGoneOrMovedToAnotherRunIsMissed() throws {
        let ids = [try write(), try write([0.5])]
        try change("DELETE FROM step WHERE run = \(ids[0]) AND position = 1")
        try change("UPDATE step SET position = position + 2 WHERE run = \(ids[1])")
        let reader = try ResultsDatabase(readingFrom: url)
        for id in ids { expectDamaged("\(id)") { _ = try reader.steps(of: id) } }
    }

    @Test func aRunWhoseSpecIsNotThereIsNotPassedOver() throws {
        _ = try write()
        try change("UPDATE run SET spec_digest = '0'")
        let reader = try ResultsDatabase(readingFrom: url)
        expectDamaged("runs") { _ = try reader.runs() }
    }

    @Test func runsOfProgramsThatTookNoDigestAreTakenAsTheyAre() throws {
        let id = try write()
        try DatabaseQueue(path: url.path).write {
            try $0.execute(sql: "DROP TABLE run_check; UPDATE run SET cores = 3")
        }
        let reader = try ResultsDatabase(readingFrom: url)
        #expect(try reader.metrics(of: reader.run(id)).count == 1)
        try reader.close()
        // The next writer makes the table, in a database of the same version.
        let next = try write([0.5])
        #expect(
            try DatabaseQueue(path: url.path).read { try Int64.fetchAll($0, sql: "SELECT run FROM run_check") } == [
                next
            ])
        #expect(
            try DatabaseQueue(path: url.path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
                == Schema.current.version)
    }

    @Test func aTableOfDigestsWithOtherColumnsIsDamage() throws {
        let id = try write()
        try DatabaseQueue(path: url.path).write {
            try $0.execute(sql: "ALTER TABLE run_check RENAME COLUMN sha256 TO sha257")
        }
        expectDamaged("reading") { _ = try ResultsDatabase(readingFrom: url).run(id) }
        expectDamaged("writing") { _ = try ResultsDatabase(writingTo: url) }
    }
}
