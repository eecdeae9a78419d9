import Foundation
import Pipeline
import Results
import Testing
import TestSupport

/// A run of the real experiment on the real model that takes two seconds, and everything that it leaves.
struct FaultRun {
    let folder: URL
    var spec: URL { folder.appendingPathComponent("spec.yaml") }
    let results: URL
    var database: URL { results.appendingPathComponent("results.sqlite") }

    static let text = """
        experiment: mean-ablation
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        evaluation: {dataset: emoji-scenes, split: val}
        layers: [2]
        significant-images: 8
        indirect-sample: {neurons: 1, images: 8}
        images-per-shard: 8
        seed: 0
        controls: {accuracy-floor: 0.0}
        """

    /// - Parameter prepared: a copy of its results is what the run finds.
    init(_ text: String = text, after prepared: FaultRun? = nil) throws {
        folder = try ProcessFolder.make().resolvingSymlinksInPath()
        results = folder.appendingPathComponent("results")
        try Data(text.utf8).write(to: spec)
        if let prepared { try FileManager.default.copyItem(at: prepared.results, to: results) }
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    func arguments(_ extra: [String] = []) -> [String] {
        ["--spec", spec.path, "--results", results.path, "--limit", "32", "--jobs", "1"] + extra
    }

    // MARK: Runs

    struct Outcome {
        let status: Int32
        let wasKilled: Bool
        let text: String
        let errors: String
        let log: FaultLog
        let fault: Fault?

        var committed: [String] { log.committed(endedBy: fault) }
        /// The tables, without the line on how long they took.
        var tables: String {
            text.components(separatedBy: "\nComputed ")[0].components(separatedBy: "\nNothing to compute")[0]
        }
    }

    struct Started {
        let running: RunnerProcess.Running
        let results: URL
        let logFile: URL
        let fault: Fault?

        var log: FaultLog { FaultLog(logFile, results: results) }

        /// Waits until the runner has met its fault.
        func waitForFault() throws {
            try wait { log.injected != nil }
        }

        /// Waits until the condition holds or the runner has ended.
        func wait(until condition: () throws -> Bool) throws {
            let end = ContinuousClock.now + .seconds(120)
            while running.process.isRunning, try !condition() {
                try #require(ContinuousClock.now < end, "waited for two minutes")
                Thread.sleep(forTimeInterval: 0.002)
            }
        }

        func end() throws -> Outcome {
            let output = try running.wait()
            return Outcome(
                status: output.status,
                wasKilled: running.process.terminationReason == .uncaughtSignal && output.status == SIGKILL,
                text: output.text, errors: output.errors, log: log, fault: fault)
        }
    }

    func start(_ fault: Fault? = nil, clock: Int = 0, _ extra: [String] = [], command: [String] = []) throws -> Started
    {
        let log = try ProcessFolder.make().appendingPathComponent("calls")
        let running = try RunnerProcess.start(
            command + arguments(extra),
            environment: FaultInjection.environment(fault, results: results, log: log, clock: clock))
        return Started(running: running, results: results, logFile: log, fault: fault)
    }

    @discardableResult
    func run(_ fault: Fault? = nil, clock: Int = 0, _ extra: [String] = []) throws -> Outcome {
        try start(fault, clock: clock, extra).end()
    }

    // MARK: What is left

    /// What a run left that a reader may look at; of the database, all but hosts and times.
    struct Rows: Equatable {
        let metrics: [Metric]
        let predictions: [PredictionSet]
        let files: [String: Data]
    }

    func rows() throws -> Rows {
        let database = try ResultsDatabase(readingFrom: database)
        let stored = try #require(try database.latestRun(of: "mean-ablation"))
        let names = try FileManager.default.contentsOfDirectory(atPath: results.path).filter {
            $0.hasPrefix("mean-ablation")
        }
        return Rows(
            metrics: try database.metrics(of: stored), predictions: try database.predictions(of: stored),
            files: try names.reduce(into: [:]) { $0[$1] = try Data(contentsOf: results.appendingPathComponent($1)) })
    }

    /// Every file in the results folder, but for what was found out about inputs, which is kept when they are old enough.
    func files() throws -> Set<String> {
        Set(try FileManager.default.subpathsOfDirectory(atPath: results.path).filter { !$0.hasPrefix("cache/inputs/") })
    }

    func artefacts() throws -> [String: Data] {
        try files().filter {
            $0.hasPrefix("cache/") && !$0.contains("manifest")
                && ($0.hasSuffix(".json") || $0.hasSuffix(".safetensors"))
        }
        .reduce(into: [:]) { $0[$1] = try Data(contentsOf: results.appendingPathComponent($1)) }
    }

    /// A run that nothing disturbed, against which all others are held.
    struct Reference {
        let run: FaultRun
        let outcome: Outcome
        let rows: Rows
        let files: Set<String>
        let artefacts: [String: Data]

        /// How many calls went to paths with a part.
        func calls(_ part: String) -> Int { outcome.log.calls.count { $0.path.contains(part) } }
    }

    static let undisturbed = Result {
        let run = try FaultRun()
        let outcome = try run.run()
        try #require(outcome.status == 0, "\(outcome.errors)")
        return Reference(
            run: run, outcome: outcome, rows: try run.rows(), files: try run.files(), artefacts: try run.artefacts())
    }

    /// Runs the same command to its end, and expects what an undisturbed run leaves: the same table, rows, artefacts and
    /// files, and nothing computed that had been computed before.
    /// - Parameters:
    ///   - former: the runs so far.
    ///   - spoilt: artefacts that may stay damaged, because nothing asks for them any more.
    @discardableResult
    func finish(
        after former: [Outcome], _ what: String = "", except spoilt: Set<String> = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let reference = try Self.undisturbed.get()
        let last = try run()
        let isSame =
            try last.status == 0 && rows() == reference.rows
            && artefacts().filter { !spoilt.contains($0.key) }
                == reference.artefacts.filter { !spoilt.contains($0.key) }
        if !isSame { Tally.shared.count(\.lost) }
        #expect(last.status == 0, "\(what): \(last.errors)", sourceLocation: sourceLocation)
        #expect(isSame, "\(what): other rows or artefacts", sourceLocation: sourceLocation)
        #expect(last.tables == reference.outcome.tables, "\(what)", sourceLocation: sourceLocation)
        let files = try files()
        #expect(
            files == reference.files, "\(what): \(files.symmetricDifference(reference.files))",
            sourceLocation: sourceLocation)
        let inputs =
            (try? FileManager.default.contentsOfDirectory(atPath: results.appendingPathComponent("cache/inputs").path))
            ?? []
        #expect(inputs.allSatisfy { !$0.hasPrefix(".") }, "\(what): \(inputs)", sourceLocation: sourceLocation)
        let committed = (former + [last]).flatMap(\.committed)
        let twice = Dictionary(grouping: committed) { $0 }.filter { $0.value.count > 1 }.keys
        #expect(twice.isEmpty, "\(what): computed twice: \(twice)", sourceLocation: sourceLocation)
        #expect(!last.errors.contains("damaged"), "\(what): \(last.errors)", sourceLocation: sourceLocation)
        return last
    }
}
