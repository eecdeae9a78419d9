import Foundation
import GRDB
import Pipeline
import TestSupport
import Testing

@testable import Results

/// A database that a program of version 1 wrote: `Fixtures/results-v1.sqlite`, cut to a few rows of a real run.
@Suite struct EarlierSchemaTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
        try FileManager.default.copyItem(at: Fixture.file("results-v1.sqlite"), to: url)
    }

    private func version() throws -> Int? {
        try DatabaseQueue(path: url.path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    }

    private func rows(_ database: ResultsDatabase) throws -> (accuracies: [Double?], predictions: Int) {
        let run = try #require(try database.runs().last)
        return (
            try database.metrics(of: run, withTerms: true).map(\.value),
            try database.predictions(of: run)[0].predictions.count
        )
    }

    private let accuracies = [0.89525, 0.0005, 0.76825, 0.88875, 0.82125, 0.88575]

    @Test func itIsReadAsItIs() throws {
        let before = try Data(contentsOf: url)
        let database = try ResultsDatabase(readingFrom: url)
        let read = try rows(database)
        #expect(read.accuracies == accuracies && read.predictions == 20)
        let run = try #require(try database.latestRun(of: "mean-ablation"))
        #expect(try database.layouts(of: run).isEmpty && database.attachments(of: run).isEmpty)
        #expect(
            Comparison(base: try database.comparedRuns(), head: try database.comparedRuns(), tolerance: 0).compared == 6
        )
        try database.close()
        #expect(try Data(contentsOf: url) == before)
        #expect(try folder.names() == ["results.sqlite"])
    }

    @Test func aWriterBringsItUpToDateAndLosesNothing() throws {
        let database = try ResultsDatabase(writingTo: url)
        let run = try database.begin(Sample.description())
        var metric = Sample.metric(0.25)
        metric.terms = Sample.terms()
        try database.end(run, as: .done, rows: RunRows(metrics: [metric], layouts: [Sample.layout("new")]))
        let read = try rows(database)
        #expect(read.accuracies == accuracies && read.predictions == 20)
        #expect(try database.layouts(of: database.run(run.id)) == [Sample.layout("new")])
        try database.close()
        #expect(try version() == Schema.current.version)
        // Once is enough.
        let again = try ResultsDatabase(writingTo: url)
        #expect(try again.runs().count == 2)
        try again.close()
    }

    @Test func twoWritersMayBringItUpToDateAtOnce() async throws {
        let url = url
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 { group.addTask { try ResultsDatabase(writingTo: url).runs().count } }
            for try await count in group { #expect(count == 1) }
        }
        #expect(try version() == Schema.current.version)
    }

    @Test func oneThatCannotBeBroughtUpToDateStaysAsItWas() throws {
        // A table of the name is in the way, as if somebody had made it by hand.
        try DatabaseQueue(path: url.path).write { try $0.execute(sql: "CREATE TABLE attachment (x)") }
        let before = try Data(contentsOf: url)
        #expect(
            throws: ResultsError.damaged(
                path: url.path, message: "the table 'attachment' is no part of a results database of version 1")
        ) {
            try ResultsDatabase(writingTo: url)
        }
        #expect(try Data(contentsOf: url) == before)
    }
}

/// A database that a program of version 2 wrote, which knew of no claims: `Fixtures/results-v2.sqlite`, a run on a few images.
@Suite struct SecondSchemaTests {
    private let folder: TemporaryFolder
    private let url: URL

    init() throws {
        folder = try TemporaryFolder()
        url = folder.file("results.sqlite")
        try FileManager.default.copyItem(at: Fixture.file("results-v2.sqlite"), to: url)
    }

    /// Everything of its one run; the reader believes it, so that its digests are those of today's program.
    private func check(_ database: ResultsDatabase) throws {
        let run = try #require(try database.runs().last)
        let metrics = try database.metrics(of: run, withTerms: true)
        #expect(metrics.count > 5 && metrics.contains { $0.interval?.seed == 0 && $0.interval?.replicates == 1000 })
        #expect(metrics.contains { $0.terms != nil })
        #expect(
            try !database.layouts(of: run).isEmpty && !database.attachments(of: run).isEmpty
                && !database.predictions(of: run).isEmpty)
        #expect(try database.claims(of: run).isEmpty)
    }

    @Test func itIsReadAsItIs() throws {
        let before = try Data(contentsOf: url)
        let database = try ResultsDatabase(readingFrom: url)
        try check(database)
        #expect(try database.ledger().entries.isEmpty)
        try database.close()
        #expect(try Data(contentsOf: url) == before)
    }

    @Test func aWriterBringsItUpToDateAndLosesNothing() throws {
        let database = try ResultsDatabase(writingTo: url)
        try check(database)
        let verdict = ClaimVerdict(
            paper: "P", name: "a", words: "w", place: "p", experiment: "mean-ablation", verdict: .fails,
            because: "1 < 2")
        let run = try database.begin(Sample.description())
        try database.end(run, as: .done, rows: RunRows(metrics: [Sample.metric(0.25)]), claims: [verdict])
        #expect(try database.claims(of: database.run(run.id)) == [verdict])
        try check(database)
        try database.close()
        #expect(
            try DatabaseQueue(path: url.path).read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
                == Schema.current.version)
    }
}

/// A database that a program of version 3 wrote at its end, before the next version: `Fixtures/results-v3.sqlite`, a run on a
/// few images with its claims.
@Suite struct ThirdSchemaTests {
    @Test func itsRunIsBelievedByItsDigests() throws {
        let url = Fixture.file("results-v3.sqlite")
        let before = try Data(contentsOf: url)
        try DatabaseView(of: url).read { database in
            let run = try #require(try database.runs().last)
            #expect(try database.metrics(of: run, withTerms: true).contains { $0.terms != nil })
            #expect(
                try !database.claims(of: run).isEmpty && !database.predictions(of: run).isEmpty
                    && !database.steps(of: run.id).isEmpty)
            // None of the three is passed over for want of a digest.
            let checks = [StoredCheck.rows, .run, .claims]
            let intact = try database.read { db in try checks.map { try $0.isIntact(run.id, db, unknown: false) } }
            #expect(intact == [true, true, true])
        }
        #expect(try Data(contentsOf: url) == before)
    }

    /// Its rows do not say of which spec they are, which keeps them from nothing.
    @Test func itsRowsStandBesideThoseOfAWriterThatSaysTheirSpec() throws {
        let folder = try TemporaryFolder()
        let url = folder.file("results.sqlite")
        try FileManager.default.copyItem(at: Fixture.file("results-v3.sqlite"), to: url)
        let before = try DatabaseView(of: url).read { try $0.comparedRuns() }
        let database = try ResultsDatabase(writingTo: url)
        let earlier = try #require(try database.runs().last)
        let rows = try database.metrics(of: earlier)
        var named = rows
        for index in named.indices { named[index].spec = "s" }
        let description = RunDescription(
            experiment: earlier.experiment, spec: try SpecDocument(text: earlier.specText, path: earlier.specPath),
            commit: nil, isDirty: false, host: earlier.host, blasCore: earlier.blasCore,
            blasThreads: earlier.blasThreads, versions: earlier.versions, isPartial: earlier.isPartial)
        let run = try database.begin(description)
        // Not the same rows: they are stored, not referred to.
        #expect(try database.end(run, as: .done, rows: RunRows(metrics: named)) == run.id)
        #expect(try rows.allSatisfy { $0.spec == nil } && database.metrics(of: database.run(run.id)) == named)
        #expect(try database.metrics(of: earlier) == rows)
        let intact = try database.read { db in
            try [earlier.id, run.id].map { try StoredCheck.rows.isIntact($0, db, unknown: false) }
        }
        #expect(intact == [true, true])

        let comparison = Comparison(base: before, head: try database.comparedRuns(), tolerance: 0)
        #expect(comparison.rows.count == rows.count && comparison.differences == 0)
        #expect(!comparison.rows.contains { [.onlyInBase, .onlyInHead].contains($0.outcome) })
        let page = try ResultsReport(database, folder: folder.url).html()
        #expect(String(decoding: page, as: UTF8.self).contains(earlier.experiment))
        try database.withoutTransaction { try $0.execute(sql: "UPDATE metric SET spec = 'x' WHERE run = \(run.id)") }
        #expect(try !database.read { try StoredCheck.rows.isIntact(run.id, $0) })
        try database.close()
    }
}
