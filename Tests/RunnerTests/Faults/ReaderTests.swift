import Foundation
import Foundations
import Pipeline
import Results
import Testing
import TestSupport

/// Readers of results to which somebody writes: killed, without room, and with something else in the place of a file.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"), .timeLimit(.minutes(5)))
struct ReaderTests {
    private let folder: URL
    private let results: URL
    private let temporary: URL
    /// Keeps the rows in the journal.
    private let writer: ResultsDatabase

    init() throws {
        folder = try ProcessFolder.make().resolvingSymlinksInPath()
        (results, temporary) = (folder.appendingPathComponent("results"), folder.appendingPathComponent("temporary"))
        for url in [results, temporary] {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
        writer = try ResultsDatabase(writingTo: results.appendingPathComponent("results.sqlite"))
        let run = try writer.begin(
            RunDescription(
                experiment: "mean-ablation", spec: SpecDocument(text: "a: 1\n", path: "experiments/x.yaml"),
                commit: nil, isDirty: false,
                blasCore: "Haswell", blasThreads: 1, versions: [:], isPartial: false))
        let metric = Metric(
            experiment: "mean-ablation", world: "emoji", model: "m", dataset: "val", subject: [:], name: "accuracy",
            value: 0.5, unit: "share", n: 100)
        let file = StoredAttachment(
            name: Attachment.figures, file: "mean-ablation-figures.json", sha256: Digest.sha256(of: Data("{}".utf8)))
        try Data("{}".utf8).write(to: results.appendingPathComponent(file.file))
        try writer.end(run, as: .done, rows: RunRows(metrics: [metric], attachments: [file]))
    }

    private func left() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: temporary.path) }

    /// When it has read rows and hangs on a file beside the database.
    @Test func aReaderThatIsKilledLeavesNothing() throws {
        let log = folder.appendingPathComponent("calls")
        var environment = FaultInjection.environment(
            Fault(kind: .hangOpen, at: 1, only: "mean-ablation-figures"), results: results, log: log, clock: 0)
        environment["TMPDIR"] = temporary.path
        let reader = try RunnerProcess.start(
            ["report", "--results", results.path, "--output", folder.appendingPathComponent("page.html").path],
            environment: environment)
        let end = ContinuousClock.now + .seconds(60)
        while FaultLog(log, results: results).injected == nil, reader.process.isRunning, ContinuousClock.now < end {
            Thread.sleep(forTimeInterval: 0.002)
        }
        try #require(FaultLog(log, results: results).injected != nil && reader.process.isRunning)
        #expect(try left() == [])
        kill(reader.process.processIdentifier, SIGKILL)
        _ = try reader.wait()
        #expect(try left() == [])
    }

    @Test func aReaderThatIsKilledAtAnyMomentLeavesNothing() throws {
        for moment in 0..<60 {
            let reader = try RunnerProcess.start(
                ["status", "--results", results.path], environment: ["TMPDIR": temporary.path])
            usleep(UInt32(moment) * 1000)
            kill(reader.process.processIdentifier, SIGKILL)
            _ = try reader.wait()
            #expect(try left() == [], "after \(moment) ms")
        }
    }

    private func status(temporary: String, _ command: [String]? = nil) throws -> RunnerProcess.Output {
        try RunnerProcess.start(command ?? ["status", "--results", results.path], environment: ["TMPDIR": temporary])
            .wait()
    }

    @Test func aTemporaryFolderWithoutRoomIsSaidAndNotCalledDamage() throws {
        let sound = try status(temporary: temporary.path)
        #expect(sound.status == 0 && sound.text.contains("mean-ablation"), "\(sound.errors)")
        for place in ["/proc/none", folder.appendingPathComponent("calls").path] {
            let outcome = try status(temporary: place)
            #expect(outcome.status == 74 && outcome.text == "", "\(outcome.errors)")
            for word in ["results.sqlite", "TMPDIR is \(place)", "KiB", "fix: "] {
                #expect(outcome.errors.contains(word), "\(outcome.errors)")
            }
            for word in ["damaged", "move the file away", "bug"] {
                #expect(!outcome.errors.contains(word), "\(outcome.errors)")
            }
        }
        // A copy is only made where it has to be.
        try writer.close()
        let atRest = try status(temporary: "/proc/none")
        #expect(atRest.status == 0 && atRest.text == sound.text, "\(atRest.errors)")
    }

    @Test(arguments: ["results.sqlite", "results.sqlite-wal", "results.sqlite-journal", "results-snapshot.sqlite"])
    func aPipeInThePlaceOfAFileHangsNobody(name: String) throws {
        try writer.close()
        let pipe = results.appendingPathComponent(name)
        try? FileManager.default.removeItem(at: pipe)
        if name == "results-snapshot.sqlite" {
            try FileManager.default.removeItem(at: results.appendingPathComponent("results.sqlite"))
        }
        #expect(mkfifo(pipe.path, 0o600) == 0)
        for command in [
            ["status", "--results", results.path], ["compare", results.path, results.path],
            ["report", "--results", results.path],
        ] {
            let outcome = try RunnerProcess.run(command)
            #expect(
                outcome.status == 65
                    && outcome.errors.contains("\(name): a file of this user's was expected, this is a pipe"),
                "\(outcome.errors)")
            #expect(outcome.errors.contains("fix: "))
        }
    }
}
