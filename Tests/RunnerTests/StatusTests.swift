import Foundation
import Testing

/// `runner status`: reads only.
@Suite struct StatusTests {
    private struct Document: Decodable {
        struct Run: Decodable {
            let experiment, spec, state: String
            let rows: Int
        }

        struct Step: Decodable {
            let step, state: String
            let shardsDone, shards: Int
        }

        let runs: [Run]
        let steps: [Step]?
    }

    private func status(_ run: SmallRun, _ extra: [String] = []) throws -> Document {
        let output = try RunnerProcess.run(["status", "--results", run.results.path, "--json"] + extra)
        #expect(output.status == 0, "\(output.errors)")
        return try JSONDecoder().decode(Document.self, from: Data(output.text.utf8))
    }

    /// Every file with its time of change.
    private func files(_ run: SmallRun) throws -> [String: Date] {
        let paths = FileManager.default.enumerator(atPath: run.results.path)?.compactMap { $0 as? String } ?? []
        return try paths.reduce(into: [:]) {
            $0[$1] = try FileManager.default.attributesOfItem(atPath: run.results.appendingPathComponent($1).path)[.modificationDate] as? Date
        }
    }

    @Test func runsAndStepsAreShownAndNothingIsWritten() throws {
        let run = try SmallRun(SlurmRunTests.text)
        let missing = try RunnerProcess.run(["status", "--results", run.results.path])
        #expect(missing.status == 66 && missing.errors.contains("there are no results"), "\(missing.errors)")
        #expect(!FileManager.default.fileExists(atPath: run.results.path))
        #expect(try RunnerProcess.run(SlurmRunTests.arguments(run)).status == 0)
        let steps = ["--spec", run.spec.path, "--limit", "48"]

        let before = try files(run)
        let done = try status(run, steps)
        #expect(done.runs.map(\.state) == ["done"] && done.runs[0].rows > 0 && done.runs[0].spec == "spec.yaml")
        #expect(done.steps?.map(\.state) == Array(repeating: "done", count: 5))
        let text = try RunnerProcess.run(["status", "--results", run.results.path] + steps)
        #expect(text.text.contains("label-similarities") && text.text.contains("3 of 3"), "\(text.text)")
        #expect(try files(run) == before)

        // The snapshot tells what the database cannot any more.
        try Data("damage".utf8).write(to: run.results.appendingPathComponent("results.sqlite"))
        #expect(try status(run).runs.map(\.state) == ["done"])
        try FileManager.default.removeItem(at: run.folder)
    }

    @Test func aRunThatWorksIsShownAndOneThatWasKilledIsAbandoned() throws {
        let run = try SmallRun(SlurmRunTests.text)
        let running = try RunnerProcess.start(SlurmRunTests.arguments(run, ["--jobs", "1"]))
        let classifier = run.results.appendingPathComponent("cache/zero-shot-classifier")
        for _ in 0..<6000 where !FileManager.default.fileExists(atPath: classifier.path) { Thread.sleep(forTimeInterval: 0.01) }
        kill(running.process.processIdentifier, SIGSTOP)
        #expect(try status(run).runs.map(\.state) == ["running"])
        let steps = try #require(try status(run, ["--spec", run.spec.path, "--limit", "48"]).steps)
        #expect(steps.map(\.state).prefix(2) == ["done", "done"] && steps.last?.state == "missing")
        kill(running.process.processIdentifier, SIGKILL)
        running.process.waitUntilExit()
        #expect(try status(run).runs.map(\.state) == ["abandoned"])
        try FileManager.default.removeItem(at: run.folder)
    }
}
