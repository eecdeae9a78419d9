import Foundation
import Foundations
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

@Suite struct DatabaseFileTests {
    @Test func aSnapshotStandsAlone() throws {
        let folder = try TemporaryFolder()
        let snapshot = folder.file("results-snapshot.sqlite")
        do {
            let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
            let run = try database.begin(Sample.description())
            try database.end(
                run, as: .done, rows: RunRows(metrics: Sample.metrics, predictions: [Sample.predictions()]))
            try Data("older".utf8).write(to: snapshot)
            try database.writeSnapshot(to: OutputFolder(folder.url), as: snapshot.lastPathComponent)
            try database.writeSnapshot(to: OutputFolder(folder.url), as: snapshot.lastPathComponent)
            try database.close()
        }
        for name in try folder.names() where name != "results-snapshot.sqlite" {
            try FileManager.default.removeItem(at: folder.file(name))
        }
        chmod(snapshot.path, 0o444)
        chmod(folder.url.path, 0o555)
        defer { chmod(folder.url.path, 0o755) }

        let copy = try ResultsDatabase(readingFrom: snapshot)
        let run = try #require(try copy.latestRun(of: "mean-ablation"))
        #expect(try copy.metrics(of: run) == Sample.metrics)
        #expect(try copy.predictions(of: run) == [Sample.predictions()])
        #expect(try copy.read { try String.fetchOne($0, sql: "PRAGMA journal_mode") } == "delete")
        #expect(try folder.names() == ["results-snapshot.sqlite"])
    }

    @Test func committedRowsSurviveTheLossOfTheProcess() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: Sample.metrics))
        // Main file and WAL as a killed process leaves them.
        let copy = try TemporaryFolder()
        for name in try folder.names() where !name.hasSuffix("-shm") {
            try FileManager.default.copyItem(at: folder.file(name), to: copy.file(name))
        }
        let recovered = try ResultsDatabase(writingTo: copy.file("results.sqlite"))
        #expect(try recovered.metrics(of: recovered.run(run.id)) == Sample.metrics)
        withExtendedLifetime(database) {}
    }

    @Test func aNewerSchemaIsRefused() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        try database.withoutTransaction { try $0.execute(sql: "PRAGMA user_version = 7") }
        try database.close()
        let expected = ResultsError.newerSchema(path: url.path, found: 7, supported: Schema.current.version)
        #expect(throws: expected) { try ResultsDatabase(writingTo: url) }
        #expect(throws: expected) { try ResultsDatabase(readingFrom: url) }
    }

    @Test func otherFilesAreRefused() throws {
        let folder = try TemporaryFolder()
        let foreign = folder.file("foreign.sqlite")
        try DatabaseQueue(path: foreign.path).write { try $0.execute(sql: "CREATE TABLE t (a)") }
        let text = folder.file("text.sqlite")
        try Data(repeating: 0x41, count: 5000).write(to: text)
        for url in [foreign, text] {
            #expect(throws: ResultsError.notAResultsDatabase(path: url.path)) {
                try ResultsDatabase(writingTo: url)
            }
            #expect(throws: ResultsError.notAResultsDatabase(path: url.path)) {
                try ResultsDatabase(readingFrom: url)
            }
        }
    }

    @Test func whatCannotBeOpenedIsNamed() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("file")
        try Data().write(to: file)
        for url in [
            file.appendingPathComponent("results.sqlite"), folder.file("none/results.sqlite"),
        ] {
            let error = #expect(throws: ResultsError.self) { try ResultsDatabase(writingTo: url) }
            guard case .cannotOpen(url.path, _, _) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(throws: ResultsError.self) {
            try ResultsDatabase(readingFrom: folder.file("none.sqlite"))
        }
        #expect(try folder.names() == ["file"])
    }

    @Test(.enabled(if: geteuid() != 0, "root may write whatever the mode"))
    func aReadOnlyFolderCannotBeWrittenButRead() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: Sample.metrics))
        try database.writeSnapshot(to: OutputFolder(folder.url), as: "snapshot.sqlite")
        try database.close()
        chmod(folder.url.path, 0o555)
        defer { chmod(folder.url.path, 0o755) }
        let error = #expect(throws: ResultsError.self) {
            try ResultsDatabase(writingTo: url).begin(Sample.description())
        }
        guard case .cannotOpen = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let snapshot = try ResultsDatabase(readingFrom: folder.file("snapshot.sqlite"))
        #expect(try snapshot.runs().count == 1)
    }

    @Test(.enabled(if: SmallDisk.isAvailable, "needs the right to mount a file system"))
    func aFullDiskKeepsEarlierRowsAndFinishesOnceThereIsRoom() throws {
        let disk = try SmallDisk()
        let filler = disk.url.appendingPathComponent("filler")
        let database = try ResultsDatabase(
            writingTo: disk.url.appendingPathComponent("results.sqlite"))
        let first = try database.begin(Sample.description())
        try database.end(first, as: .done, rows: RunRows(metrics: Sample.metrics))
        try Data(count: 600 << 10).write(to: filler)

        let second = try database.begin(Sample.description())
        let many = [Sample.predictions(count: 20_000)]
        let error = #expect(throws: ResultsError.self) {
            try database.end(second, as: .done, rows: RunRows(metrics: [Sample.metric(0.5)], predictions: many))
        }
        guard case .saveFailed(_, ENOSPC, _, let free?) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(free < 64 << 10)
        #expect(try database.metrics(of: database.run(first.id)) == Sample.metrics)
        #expect(try database.run(second.id).state == .running)

        try FileManager.default.removeItem(at: filler)
        let few = [Sample.predictions(count: 500)]
        try database.end(second, as: .done, rows: RunRows(metrics: [Sample.metric(0.5)], predictions: few))
        #expect(try database.predictions(of: database.run(second.id)) == few)
    }
}
