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
        let queueProblem: String?
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
            $0[$1] =
                try FileManager.default.attributesOfItem(atPath: run.results.appendingPathComponent($1).path)[
                    .modificationDate] as? Date
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

    @Test func aControllerThatDoesNotAnswerIsSaidAndIsNoFailure() throws {
        let run = try SmallRun(SlurmRunTests.text)
        #expect(try RunnerProcess.run(SlurmRunTests.arguments(run)).status == 0)
        let tools = run.folder.appendingPathComponent("tools")
        try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
        let squeue = tools.appendingPathComponent("squeue")
        let path = tools.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
        func status(_ script: String, _ extra: [String]) throws -> RunnerProcess.Output {
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: squeue)
            chmod(squeue.path, 0o755)
            return try RunnerProcess.start(
                ["status", "--results", run.results.path] + extra, environment: ["PATH": path]
            ).wait()
        }
        let steps = ["--spec", run.spec.path, "--limit", "48"]
        let silent = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1"
        let words =
            "Slurm's controller does not answer (squeue: slurm_load_jobs error: Unable to contact slurm controller (connect failure))"

        let text = try status(silent, steps)
        #expect(
            text.status == 0 && text.errors == "warning: jobs are not shown: \(words)\n",
            "\(text.status): \(text.errors)")
        #expect(text.text.contains("label-similarities"))
        let json = try status(silent, steps + ["--json"])
        #expect(json.status == 0 && json.errors.contains(words), "\(json.status): \(json.errors)")
        let document = try JSONDecoder().decode(Document.self, from: Data(json.text.utf8))
        #expect(document.queueProblem == words && document.steps?.count == 5, "\(json.text)")

        let refused = try status("echo 'squeue: error: Invalid user' >&2; exit 1", steps)
        #expect(
            refused.status == 0 && refused.errors.contains("jobs are not shown: squeue: squeue: error: Invalid user"),
            "\(refused.errors)")
        for (script, arguments) in [("exit 0", steps), ("exit 127", steps), (silent, [])] {
            let output = try status(script, arguments + ["--json"])
            #expect(
                output.status == 0 && output.errors.isEmpty && !output.text.contains("queueProblem"),
                "\(script): \(output.errors)")
        }
        try FileManager.default.removeItem(at: run.folder)
    }

    @Test func aRunThatWorksIsShownAndOneThatWasKilledIsAbandoned() throws {
        let run = try SmallRun(SlurmRunTests.text)
        let running = try RunnerProcess.start(SlurmRunTests.arguments(run, ["--jobs", "1"]))
        let classifier = run.results.appendingPathComponent("cache/zero-shot-classifier")
        for _ in 0..<6000 where !FileManager.default.fileExists(atPath: classifier.path) {
            Thread.sleep(forTimeInterval: 0.01)
        }
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
