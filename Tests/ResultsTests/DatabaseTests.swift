import Dispatch
import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

@Suite struct DatabaseTests {
    @Test func aRunComesBackAsItWasWritten() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        let run = try database.begin(Sample.description())
        #expect(try database.run(run.id).state == .running)
        try database.end(
            run, as: .done,
            rows: RunRows(
                metrics: Sample.metrics, predictions: [Sample.predictions(), Sample.predictions(condition: "without")]))

        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        let description = try Sample.description()
        #expect(stored.id == run.id && stored.rowsRun == run.id && !stored.repeatsRows)
        #expect(stored.state == .ended(.done))
        #expect(stored.specText == "a: 1\n" && stored.specDigest == description.specDigest)
        #expect(stored.commit == "0123abcd" && stored.isDirty && !stored.isPartial)
        #expect(stored.host == description.host && stored.versions == description.versions)
        #expect(stored.process == .current)
        #expect((stored.seconds ?? -1) >= 0)
        #expect(try database.metrics(of: stored) == Sample.metrics)
        #expect(
            try database.predictions(of: stored)
                == [Sample.predictions(), Sample.predictions(condition: "without")])
    }

    @Test func missingNumbersAreNullAndKeepTheirStatus() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        try write(to: url, metrics: Sample.metrics)
        let rows = try DatabaseQueue(path: url.path).read {
            try Row.fetchAll($0, sql: "SELECT value, status FROM metric ORDER BY id")
        }
        let statuses: [String] = rows.map { $0["status"] }
        #expect(statuses == ["ok", "nan", "ok", "inf", "not_run"])
        let values: [Double?] = rows.map { $0["value"] }
        #expect(values == [0.871, nil, 0, nil, nil])
    }

    @Test func theDatabaseIsDurableStrictAndInWALMode() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        try database.withoutTransaction { db in
            let pragmas = try ["journal_mode", "synchronous", "foreign_keys", "integrity_check"].map {
                try String.fetchOne(db, sql: "PRAGMA \($0)")
            }
            #expect(pragmas == ["wal", "2", "1", "ok"])
            #expect(throws: DatabaseError.self) {
                try db.execute(
                    sql: "INSERT INTO step VALUES (99, 0, 'a', 'b', 'c', 'computed', 1.0)")
            }
        }
    }

    @Test func whatATransactionCannotFinishItDoesNotStart() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        let run = try database.begin(Sample.description())
        var twice = Sample.predictions()
        twice.predictions.append(twice.predictions[0])
        let error = #expect(throws: ResultsError.self) {
            try database.end(run, as: .done, rows: RunRows(metrics: Sample.metrics, predictions: [twice]))
        }
        guard case .invalidRow = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let stored = try database.run(run.id)
        #expect(stored.state == .running && stored.rowsRun == nil)
        #expect(try database.metrics(of: stored).isEmpty)
    }

    // MARK: Repetition

    @Test func repeatedRowsAreStoredOnce() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let first = try write(to: url, metrics: Sample.metrics, predictions: [Sample.predictions()])
        let second = try write(to: url, metrics: Sample.metrics, predictions: [Sample.predictions()])
        let third = try write(to: url, metrics: Sample.metrics, predictions: [Sample.predictions()])
        let other = try write(to: url, metrics: Array(Sample.metrics.dropLast()))
        let database = try ResultsDatabase(readingFrom: url)
        #expect(try database.run(second).rowsRun == first)
        #expect(try database.run(third).rowsRun == first)
        #expect(try database.run(third).repeatsRows)
        #expect(try database.run(other).rowsRun == other)
        #expect(try database.metrics(of: database.run(third)) == Sample.metrics)
        #expect(try database.predictions(of: database.run(third)) == [Sample.predictions()])
        let counts = try database.read { db in
            [
                try Int.fetchOne(db, sql: "SELECT count(*) FROM metric"),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM prediction"),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM spec"),
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM run_metric WHERE of_run = \(third)"),
            ]
        }
        #expect(counts == [9, 3, 1, 5])
    }

    @Test func aDigestOfRowsTellsEveryFieldApart() throws {
        let metric = Sample.metric(0.5)
        var variants: [[Metric]] = [
            [], [metric], [metric, metric], [metric.without(.failed, because: nil)],
        ]
        func vary(_ change: (inout Metric) -> Void) {
            var copy = metric
            change(&copy)
            variants.append([copy])
        }
        vary { $0.spec = "other" }
        vary { $0.spec = nil }
        vary { $0.world = "other" }
        vary { $0.subject = ["condition": "baseline", "layer": "9"] }
        vary { $0.higherIsBetter = false }
        vary { $0.n += 1 }
        vary { $0.skipped += 1 }
        vary { $0.interval = nil }
        vary { $0.interval?.seed = 0 }
        vary { $0.paper = nil }
        vary { $0.paper?.value += 0.001 }
        vary { $0.isComparable = true }
        vary { $0.isPartial = true }
        vary { $0.note = nil }
        vary { $0.note = "" }
        vary { $0.terms = Sample.terms() }
        vary { $0.terms = Sample.terms(numerator: 2) }
        vary { $0.terms = Sample.terms(part: "dog") }
        var rows = variants.map { RunRows(metrics: $0) }
        for set in [Sample.predictions(), Sample.predictions(count: 2), Sample.predictions(condition: "x")] {
            rows.append(RunRows(metrics: [metric], predictions: [set]))
        }
        rows.append(RunRows(metrics: [metric], layouts: [Sample.layout("a")]))
        rows.append(RunRows(metrics: [metric], layouts: [Sample.layout("b")]))
        for attachment in [
            StoredAttachment(name: "a.csv", file: "x-a.csv", sha256: "1"),
            .init(name: "a.csv", file: "x-a.csv", sha256: "2"),
            .init(name: "a.csv", file: "y-a.csv", sha256: "1"),
        ] {
            rows.append(RunRows(metrics: [metric], attachments: [attachment]))
        }
        #expect(try Set(rows.map { try RowsDigest.digest(of: $0) }).count == rows.count)
        #expect(
            try RowsDigest.digest(of: RunRows(metrics: [Sample.metric(-0.0)]))
                == RowsDigest.digest(of: RunRows(metrics: [Sample.metric(0)])))
    }

    // MARK: Beside the numbers

    @Test func whatImagesAddLayoutsAndFilesAreReadBack() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        var (plain, iou) = (Sample.metric(0.5), Sample.metric(0.25, name: "mean-iou"))
        // Images in another order than their names, one that adds nothing, two parts.
        iou.terms = ImageTerms(
            images: ["val/b", "val/a", "val/none"], parts: ["dog", "cat"],
            [
                .init(image: 0, part: 1, numerator: 1, denominator: 4),
                .init(image: 1, part: 0, numerator: 0, denominator: 2),
                .init(image: 1, part: 1, numerator: 2, denominator: 2), .init(image: 2, numerator: 0, denominator: 0),
            ])
        plain.terms = ImageTerms(images: ["val/b"], [.init(image: 0, numerator: 0.5)])
        let rows = RunRows(
            metrics: [plain, iou], layouts: [Sample.layout("first"), Sample.layout("second")],
            attachments: [.init(name: "neurons.csv", file: "sparse-text-neurons.csv", sha256: "00")])
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: rows)
        let stored = try database.run(run.id)
        #expect(try database.layouts(of: stored) == rows.layouts)
        #expect(try database.attachments(of: stored) == rows.attachments)
        #expect(try database.metrics(of: stored).allSatisfy { $0.terms == nil })
        let read = try database.metrics(of: stored, withTerms: true)
        #expect(read[0].terms == plain.terms)
        let terms = try #require(read[1].terms)
        #expect(terms.images == ["val/a", "val/b"] && terms.value == iou.terms?.value)
        // Mean of 0/2 for dogs and 3/6 for cats.
        #expect(terms.value == 0.25)
    }

    @Test func whereAnswersAreStoredWhatImagesAddIsNotStoredAgain() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        // None of the sample's three predictions is right.
        var metric = Sample.metric(0)
        metric.n = 3
        metric.terms = Sample.terms()
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: [metric], predictions: [Sample.predictions()]))
        #expect(try database.metrics(of: database.run(run.id), withTerms: true)[0].terms == nil)
    }

    // MARK: Runs that did not end

    @Test func aRunWhoseProcessIsGoneIsAbandoned() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        let elsewhere = try database.begin(Sample.description())
        try database.write { db in
            try db.execute(
                sql: "UPDATE run SET pid_start = pid_start + 1 WHERE id = ?", arguments: [run.id])
            try db.execute(
                sql: "UPDATE run SET host = 'elsewhere' WHERE id = ?", arguments: [elsewhere.id])
        }
        #expect(try database.run(run.id).state == .abandoned)
        #expect(try database.run(elsewhere.id).state == .running)
        #expect(try database.latestRun(of: "mean-ablation") == nil)
    }

    @Test func aRunThatFailedOrIsUntrustedSaysWhy() throws {
        let folder = try TemporaryFolder()
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        let failed = try database.begin(Sample.description())
        #expect(try database.end(failed, as: .failed, message: "no space") == nil)
        let untrusted = try database.begin(Sample.description())
        try database.end(untrusted, as: .untrusted, rows: RunRows(metrics: Sample.metrics), message: "floor")
        #expect(try database.runs().map(\.state) == [.ended(.untrusted), .ended(.failed)])
        #expect(try database.run(failed.id).message == "no space")
        #expect(try database.latestRun(of: "mean-ablation") == nil)
        #expect(try database.latestRun(of: "mean-ablation", ending: .untrusted)?.id == untrusted.id)
        #expect(throws: ResultsError.noSuchRun(path: database.path, run: 99)) {
            try database.run(99)
        }
    }

    @Test func stepsComeBackInTheirOrder() throws {
        let folder = try TemporaryFolder()
        var graph = Graph()
        let first = try graph.add(
            Step(kind: "fit", label: "layer 9", version: 1, work: .single { _ in Number(value: 1) })
        )
        try graph.add(
            Step(
                kind: "table", version: 1, inputs: [first.erased],
                work: .single { try $0[first] }))
        let results = try ResultsFolder(folder.url)
        let database = try ResultsDatabase(writingTo: folder.file("results.sqlite"))
        for expected in [["computed", "computed"], []] {
            let run = try database.begin(Sample.description())
            let result = try Executor(graph, in: results).run()
            try database.end(run, as: .done, steps: result.outcomes, rows: RunRows(metrics: Sample.metrics))
            let steps = try database.steps(of: run.id)
            #expect(steps.map(\.status.rawValue) == expected)
            #expect(expected.isEmpty || steps.map(\.kind) == ["fit", "table"])
        }
    }

    // MARK: Several processes

    @Test func writersWaitForEachOther() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        DispatchQueue.concurrentPerform(iterations: 6) { index in
            do {
                let database = try ResultsDatabase(writingTo: url)
                for _ in 0..<4 {
                    let run = try database.begin(Sample.description(experiment: "e\(index % 2)"))
                    try database.end(run, as: .done, rows: RunRows(metrics: Sample.metrics))
                }
                try database.close()
            } catch {
                Issue.record(error)
            }
        }
        let database = try ResultsDatabase(readingFrom: url)
        #expect(try database.runs().count == 24)
        #expect(try database.runs(of: "e0").count == 12)
        #expect(
            try database.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM metric") } == 10)
    }

    @Test func aWriterThatWaitsInVainSaysSo() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        let holder = try ResultsDatabase(writingTo: url)
        let other = try ResultsDatabase(writingTo: url, busyTimeout: .milliseconds(50))
        let _: Void = try holder.write { _ in
            #expect(throws: ResultsError.busy(path: url.path)) {
                try other.begin(Sample.description())
            }
        }
    }

    @discardableResult
    private func write(
        to url: URL, metrics: [Metric], predictions: [PredictionSet] = []
    ) throws -> Int64 {
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: metrics, predictions: predictions))
        try database.close()
        return run.id
    }
}

struct Number: Artefact, Codable {
    var value: Int
}
