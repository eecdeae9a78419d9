import Foundation
import Pipeline
import Results
import Testing

/// Runs on a real Slurm: whatever dies, the rows are those of a run on one machine.
@Suite(
    .enabled(
        if: PrivateCluster.obstacle == nil, "needs slurmctld, slurmd and sbatch (scripts/bootstrap.sh --all-tests)"))
struct SlurmRunTests {
    static let text = """
        experiment: multi-label-recognition
        world: emoji
        model: emoji-clip
        evaluation: {dataset: emoji-scenes, split: seg}
        images-per-shard: 16
        seed: 0
        controls: {accuracy-floor: 0.1}
        """

    /// The run that all have to end like, with its artefacts.
    static let undisturbed = Result {
        let run = try SmallRun(text)
        let output = try RunnerProcess.run(arguments(run))
        #expect(output.status == 0, "\(output.errors)")
        return run
    }

    static func arguments(_ run: SmallRun, _ extra: [String] = []) -> [String] {
        ["--spec", run.spec.path, "--results", run.results.path, "--limit", "48"] + extra
    }

    static let slurm = ["--executor", "slurm"]

    /// A run of which all is done but for one step over shards and what depends on it.
    func almostDone(_ text: String = text) throws -> SmallRun {
        let run = try SmallRun(text)
        try FileManager.default.createDirectory(at: run.results, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Self.undisturbed.get().results.appendingPathComponent("cache"),
            to: run.results.appendingPathComponent("cache"))
        for step in ["label-similarities", "recognition-precisions"] {
            try FileManager.default.removeItem(at: run.results.appendingPathComponent("cache/\(step)"))
        }
        return run
    }

    func start(_ run: SmallRun, _ cluster: PrivateCluster, _ extra: [String] = [], path: String? = nil) throws
        -> RunnerProcess.Running
    {
        var environment = cluster.environment
        if let path { environment["PATH"] = path }
        return try RunnerProcess.start(Self.arguments(run, Self.slurm + extra), environment: environment)
    }

    /// Waits until something is so, for a minute.
    func wait(for what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool)
        throws
    {
        let deadline = Date(timeIntervalSinceNow: 60)
        while try !condition() {
            guard Date() < deadline else {
                Issue.record("waited in vain for \(what)", sourceLocation: sourceLocation)
                return
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// The processes of a run's tasks that compute shards.
    func tasks(_ run: SmallRun) -> [Int32] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
        return processes.filter { process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let words = data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.contains("task") && words.contains("--shards") && words.contains(run.results.path)
        }
    }

    func expectTheRowsOfAnUndisturbedRun(_ run: SmallRun, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let expected = try rows(Self.undisturbed.get())
        #expect(try rows(run) == expected, sourceLocation: sourceLocation)
        let left = FileManager.default.enumerator(atPath: run.results.path)?.compactMap { $0 as? String } ?? []
        #expect(
            left.filter {
                $0.contains(".clip-lens-") || $0.hasPrefix("jobs")
                    || $0.contains("/shards/") && $0.contains("label-similarities")
            } == [], sourceLocation: sourceLocation)
    }

    struct Rows: Equatable {
        let metrics: [Metric]
        let predictions: [PredictionSet]
        let steps: [String]
        /// CSV files and artefacts, by path.
        let files: [String: Data]
    }

    func rows(_ run: SmallRun) throws -> Rows {
        let database = try ResultsDatabase(readingFrom: run.results.appendingPathComponent("results.sqlite"))
        let stored = try #require(try database.latestRun(of: "multi-label-recognition"))
        let paths = FileManager.default.enumerator(atPath: run.results.path)?.compactMap { $0 as? String } ?? []
        let files = paths.filter { ($0.hasSuffix(".csv") || $0.contains("/artefact.")) && !$0.contains("/.clip-lens-") }
        #expect(files.count >= 7)
        return Rows(
            metrics: try database.metrics(of: stored), predictions: try database.predictions(of: stored),
            steps: try database.steps(of: stored.id).map(\.key),
            files: try files.reduce(into: [:]) { $0[$1] = try Data(contentsOf: run.results.appendingPathComponent($1)) }
        )
    }

    // MARK: Tests

    @Test func theRowsAreThoseOfOneMachine() throws {
        let cluster = try PrivateCluster()
        let run = try SmallRun(Self.text + "\nslurm: {cpus: 2, memory: 2G, options: [--nice=1]}")
        let output = try start(run, cluster, ["--shards-per-task", "9", "--allow-commands"]).wait()
        #expect(output.status == 0, "\(output.errors)")
        #expect(
            output.errors.contains("zero-shot-classifier, 40 shards: job ") && output.errors.contains(", 5 tasks"),
            "\(output.errors)")
        try expectTheRowsOfAnUndisturbedRun(run)
        #expect(output.text.contains("tasks of Slurm"))
    }

    @Test func aTaskThatFailsForGoodSaysItsErrorOnceAndIsNotTriedAgain() throws {
        let cluster = try PrivateCluster()
        let study = try PictureStudy()
        try OwnPictures.write(OwnPictures.classFolders(), to: study.own("mine"))
        let picture = study.own("mine/red/1.png")
        try Data(contentsOf: picture).prefix(60).write(to: picture)
        try study.writeMeanAblation(evaluation: "{dataset: class-folders, path: $DATA/own/mine}")
        let local = try study.run()
        let output = try study.run(Self.slurm, environment: cluster.environment)
        #expect(output.status == local.status && output.status == 65, "\(output.errors)")
        let expected = try #require(local.errors.split(separator: "\n").first { $0.hasPrefix("error: ") })
        let errors = output.errors.split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(errors.count == 1 && errors[0].hasPrefix(expected) && errors[0].contains(" (on "), "\(output.errors)")
        #expect(!output.errors.contains("submitted again"), "\(output.errors)")
        try FileManager.default.removeItem(at: study.folder)
    }

    @Test func aKilledTaskIsSubmittedAgain() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let running = try start(run, cluster, ["--shards-per-task", "3"])
        try wait(for: "a task") {
            tasks(run).contains { kill($0, SIGKILL) == 0 }
        }
        let output = try running.wait()
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.errors.contains("without a result, submitted again"), "\(output.errors)")
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    @Test func aTaskThatRunsOutOfTimeIsNamedWithItsLog() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let running = try start(run, cluster, ["--slurm-time", "1", "--slurm-attempts", "1", "--shards-per-task", "3"])
        // A task that is stopped is as good as one that computes too long.
        try wait(for: "a task") { tasks(run).contains { kill($0, SIGSTOP) == 0 } }
        let job = try #require(try cluster.jobs("shards").first)
        try cluster.run(["scontrol", "update", "JobId=\(job)_0", "EndTime=now"])
        // Slurm lets a stopped task go on before it asks it to end: it might use the moment to finish.
        while running.process.isRunning {
            for task in tasks(run) { kill(task, SIGSTOP) }
            Thread.sleep(forTimeInterval: 0.001)
        }
        let output = try running.wait()
        #expect(output.status == 1, "\(output.errors)")
        #expect(
            output.errors.contains(
                "error: step label-similarities, shards 0-2: no result after 1 attempt; Slurm says TIMEOUT"),
            "\(output.errors)")
        #expect(
            output.errors.contains("/logs/\(job)_0.log") && output.errors.contains("DUE TO TIME LIMIT"),
            "\(output.errors)")
        #expect(output.errors.contains("fix:   raise --slurm-time"), "\(output.errors)")
    }

    @Test func aControllerThatDiesIsWaitedFor() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let running = try start(run, cluster)
        try wait(for: "a task") { !tasks(run).isEmpty }
        try cluster.killController()
        try wait(for: "the submitter to notice") {
            try String(contentsOf: running.errors, encoding: .utf8).contains("controller does not answer")
        }
        try cluster.startController()
        // It may know nothing of the latest seconds, start again what it finds there, and close the node over it:
        // the administrator opens it.
        while running.process.isRunning {
            try cluster.openNode()
            Thread.sleep(forTimeInterval: 0.2)
        }
        let output = try running.wait()
        #expect(output.status == 0, "\(output.errors)")
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    /// The submitter dies when Slurm has the job and it does not know yet.
    @Test func aSubmitterThatDiesWithinTheSubmissionSubmitsNothingTwice() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let tools = run.folder.appendingPathComponent("tools")
        try FileManager.default.createDirectory(at: tools, withIntermediateDirectories: true)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let sbatch = tools.appendingPathComponent("sbatch")
        try Data("#!/bin/sh\nPATH='\(path)' sbatch --begin=now+5 \"$@\"\nkill -KILL $PPID\n".utf8).write(to: sbatch)
        chmod(sbatch.path, 0o755)
        let killed = try start(run, cluster, path: tools.path + ":" + path).wait()
        #expect(killed.status == SIGKILL)
        #expect(try cluster.jobs("shards").count == 1 && cluster.jobs("finish").isEmpty)

        let output = try start(run, cluster).wait()
        #expect(output.status == 0, "\(output.errors)")
        #expect(output.errors.contains("label-similarities: going on with job "), "\(output.errors)")
        // One for each of the two steps.
        #expect(try cluster.jobs("shards").count == 2 && cluster.jobs("finish").count == 2)
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    @Test func anInterruptedSubmitterSaysHowToGoOnAndReattaches() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let running = try start(run, cluster, ["--shards-per-task", "3"])
        try wait(for: "a task") { tasks(run).contains { kill($0, SIGSTOP) == 0 } }
        kill(running.process.processIdentifier, SIGINT)
        let output = try running.wait()
        #expect(output.status == 130, "\(output.errors)")
        let name = try #require(output.errors.firstMatch(of: /scancel --name=(clip-lens-[0-9a-f]{16})\n/)?.1)
        #expect(try cluster.run(["squeue", "--noheader", "--name=\(name)"]).isEmpty == false)

        let again = try start(run, cluster)
        try wait(for: "the jobs to be found again") {
            try String(contentsOf: again.errors, encoding: .utf8).contains("going on with job")
        }
        for task in tasks(run) { kill(task, SIGCONT) }
        let last = try again.wait()
        #expect(last.status == 0, "\(last.errors)")
        #expect(try cluster.jobs("shards").count == 2)
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    @Test func aSpecEditedDuringTheRunIsReadAsItWas() throws {
        let cluster = try PrivateCluster()
        let run = try almostDone()
        let running = try start(run, cluster)
        try wait(for: "the submission") { try !cluster.jobs("shards").isEmpty }
        try Data("experiment: nonsense".utf8).write(to: run.spec)
        let output = try running.wait()
        #expect(output.status == 0, "\(output.errors)")
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    /// What Slurm does after it took a node for dead: the same task twice.
    @Test func twoCopiesOfEachTaskAtOnceAreHarmless() throws {
        let run = try almostDone()
        let step = try #require(
            try FileManager.default.contentsOfDirectory(
                atPath: Self.undisturbed.get().results.appendingPathComponent("cache/label-similarities").path
            ).first)
        let task = ["task"] + Self.arguments(run, ["--step", step])
        let copies = try (0..<4).map { _ in try RunnerProcess.start(task + ["--shards", "0-2", "--jobs", "2"]) }
        for copy in copies {
            let output = try copy.wait()
            #expect(output.status == 0, "\(output.errors)")
        }
        for end in try (0..<2).map({ _ in try RunnerProcess.start(task) }) {
            let output = try end.wait()
            #expect(output.status == 0, "\(output.errors)")
        }
        #expect(try RunnerProcess.run(Self.arguments(run)).status == 0)
        try expectTheRowsOfAnUndisturbedRun(run)
    }

    @Test func aTaskWhoseSpecHasChangedSaysSo() throws {
        let run = try almostDone()
        let failure = run.folder.appendingPathComponent("failure.json")
        let output = try RunnerProcess.run(
            ["task"] + Self.arguments(run, ["--step", String(repeating: "a", count: 64), "--failure", failure.path]))
        #expect(output.status == 65 && output.errors.contains("the spec has no step aaaaaaaaaaaa"), "\(output.errors)")
        #expect(try String(contentsOf: failure, encoding: .utf8).contains("\"code\":65"))
    }
}
