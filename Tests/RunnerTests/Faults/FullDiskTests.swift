import Foundation
import Pipeline
import Results
import Testing

/// A disk that is full or broken from a chosen call on: exit 74 with the path, earlier rows can be read, and the
/// same command completes once the disk is well.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct FullDiskTests {
    /// Results with the rows of a finished run, and a step that is to be computed again.
    static func prepared() throws -> FaultRun {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        for path in ["cache/ablation-predictions", "cache/overlap"] {
            try FileManager.default.removeItem(at: run.results.appendingPathComponent(path))
        }
        return run
    }

    /// Has a run meet the fault, and expects an error that names the place, with the earlier rows still there.
    /// - Returns: nil where the run was over before.
    @discardableResult
    static func fail(_ run: FaultRun, _ fault: Fault) throws -> FaultRun.Outcome? {
        let reference = try FaultRun.undisturbed.get()
        let outcome = try run.run(fault)
        guard let injected = outcome.log.injected else {
            #expect(outcome.status == 0, "\(fault): \(outcome.errors)")
            return nil
        }
        Tally.shared.count(\.faults)
        let words = "\(fault), \(injected.name) \(injected.path): exit \(outcome.status), \(outcome.errors)"
        if outcome.status == 0 {
            // Nothing hangs on a file that SQLite keeps beside a database and could not remove; all else must be there.
            let isBesideDatabase = ["-wal", "-shm", "-journal"].contains { injected.path.hasSuffix($0) }
            #expect(injected.name == "unlink" && isBesideDatabase, "\(words)")
            #expect(outcome.tables == reference.outcome.tables, "\(words)")
            #expect(try run.rows() == reference.rows, "\(words)")
        } else {
            // A database that cannot even be opened is found before there is anything to save.
            #expect(outcome.status == 74 || outcome.status == 73 && outcome.committed.isEmpty, "\(words)")
            let errors = outcome.errors.components(separatedBy: "\n").filter { $0.hasPrefix("error: ") }
            #expect(
                errors.count == 1 && errors[0].contains(run.results.path) && !errors[0].contains(".clip-lens-"),
                "\(words)")
            #expect(outcome.errors.contains("fix: "), "\(words)")
        }
        if outcome.status == 74 {
            for word in ["make room", " free)"] {
                #expect(outcome.errors.contains(word) == (fault.kind == .full), "\(words)")
            }
        }
        // Nobody has to repair anything before the earlier rows can be read.
        let database = try ResultsDatabase(readingFrom: run.database)
        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        #expect(try database.metrics(of: stored) == reference.rows.metrics, "\(words)")
        #expect(try database.predictions(of: stored) == reference.rows.predictions, "\(words)")
        return outcome
    }

    static let places = ["/shards/", "-artefact.", "-manifest.json", ".csv", "results.sqlite", "results-snapshot"]

    @Test(arguments: places) func aFullDiskIsSaidAndLosesNothing(place: String) throws {
        try expectNothingLost(.full, place)
    }

    @Test(arguments: ["/shards/", "results.sqlite", "results-snapshot"]) func anErrorOfADiskIsSaidAndLosesNothing(
        place: String
    ) throws {
        try expectNothingLost(.io, place)
    }

    @Test(arguments: ["/shards/", "-artefact.", ".csv", "results.sqlite", "results-snapshot"])
    func aSyncThatFailsIsSaidAndLosesNothing(place: String) throws {
        try expectNothingLost(.sync, place)
    }

    private func expectNothingLost(_ kind: Fault.Kind, _ place: String) throws {
        let run = try Self.prepared()
        defer { run.remove() }
        var outcomes: [FaultRun.Outcome] = []
        for at in [1, 3] {
            guard let outcome = try Self.fail(run, Fault(kind: kind, at: at, only: place)) else { break }
            outcomes.append(outcome)
        }
        #expect(!outcomes.isEmpty, "the fault was not met")
        try run.finish(after: outcomes, "\(kind) \(place)")
    }

    @Test func aLimitOnTheSizeOfFilesIsSaid() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        let arguments = ["-c", "ulimit -f 64; exec \"$0\" \"$@\"", RunnerProcess.executable.path] + run.arguments()
        let outcome = try RunnerProcess.run(arguments, executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(
            outcome.status == 74 && outcome.errors.contains("ulimit -f") && !outcome.errors.contains("make room"),
            "\(outcome.status) \(outcome.errors)")
        try run.finish(after: [])
    }

    /// What was found out about inputs costs time only.
    @Test func aMemoThatCannotBeKeptCostsTimeOnly() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        try FileManager.default.removeItem(at: run.results.appendingPathComponent("cache/inputs"))
        let outcome = try run.run(Fault(kind: .full, at: 1, only: "cache/inputs"))
        #expect(outcome.log.injected != nil && outcome.status == 0, "\(outcome.errors)")
        try run.finish(after: [outcome])
    }
}
