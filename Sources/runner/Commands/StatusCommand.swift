import ArgumentParser
import Foundation
import Pipeline
import Results
import Slurm

/// `runner status`: how runs stand, from any node; writes nothing.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how the latest run of each experiment stands, and how far its steps are.",
        discussion: """
            Reads only, also while a runner works, in a folder that cannot be written, and from another node of a \
            cluster. With --spec: which steps are done, how many shards are, and which jobs of Slurm wait or run; that \
            Slurm does not answer is said, and no failure. What is done is told by the names of files; `runner plan` looks at every byte.
            """)

    @Option(
        help: ArgumentHelp(
            "Also show the steps of an experiment, or of a folder of them; may be given several times.",
            valueName: "FILE"))
    var spec: [String] = []
    @Option(help: "The results folder.")
    var results = "results"
    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"
    @Option(help: ArgumentHelp("The folder of models and data sets, as for run.", valueName: "DIR"))
    var data: String?
    @Option(help: ArgumentHelp("The --limit of the run.", valueName: "N"))
    var limit: Int?
    @Flag(help: "Print one JSON document instead of tables, also on failure.")
    var json = false

    func run() throws {
        let folder = URL(fileURLWithPath: results, isDirectory: true)
        let runs = try ResultsReader(in: folder).read { try StatusDocument.Run.latest(in: $0) }
        let queue = spec.isEmpty ? Queue() : Queue.current()
        let steps = try self.steps(in: folder, queue)
        if let problem = queue.problem { Console.tell("warning: jobs are not shown: \(problem)\n") }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let document = StatusDocument(runs: runs, steps: spec.isEmpty ? nil : steps, queueProblem: queue.problem)
            return try Console.print(String(decoding: try encoder.encode(document), as: UTF8.self) + "\n")
        }
        try Console.print(table(runs).rendered())
        if !spec.isEmpty { try Console.print("\n" + table(steps).rendered()) }
    }

    /// What Slurm says of jobs.
    private struct Queue {
        var tasks: [String: [QueuedTask]] = [:]
        /// Why it does not say; nil where it does, and where there is no Slurm.
        var problem: String?

        static func current() -> Queue {
            do {
                return Queue(tasks: try SlurmSite.queue())
            } catch SlurmError.commandMissing {
                return Queue()
            } catch SlurmError.unreachable(let command, let output, _) {
                return Queue(problem: "Slurm's controller does not answer (\(command): \(output))")
            } catch {
                return Queue(problem: Failure(error).message)
            }
        }
    }

    private func steps(in folder: URL, _ queue: Queue) throws -> [StatusDocument.Step] {
        guard !spec.isEmpty else { return [] }
        let arguments =
            spec.flatMap { ["--spec", $0] } + ["--results", results, "--manifest", manifest]
            + (data.map { ["--data", $0] } ?? []) + (limit.map { ["--limit", "\($0)"] } ?? [])
        let (experiments, _) = try SpecOptions.parse(arguments).experiments()
        let store = ArtefactStore(results: folder)
        let place = folder.absoluteURL.standardizedFileURL
        return experiments.flatMap { experiment in
            store.glance(at: experiment.graph).map { step in
                let jobs = queue.tasks[SlurmSite.jobName(results: place, step: step.key)]
                return StatusDocument.Step(
                    experiment: experiment.name, step: step.name, key: step.key.digest,
                    state: step.isDone ? "done" : step.shardsDone > 0 ? "started" : "missing",
                    shardsDone: step.shardsDone,
                    shards: step.shards, jobs: jobs?.words)
            }
        }
    }

    private func table(_ runs: [StatusDocument.Run]) -> TextTable {
        var table = TextTable(columns: [
            .init("experiment"), .init("spec"), .init("state"), .init("started"), .init("time", .right),
            .init("rows", .right), .init("message"),
        ])
        for run in runs {
            let state = run.state == "running" ? "running (process \(run.pid) on \(run.host))" : run.state
            table.addRow([
                run.experiment, run.spec, state, run.started, run.seconds.map(Progress.duration) ?? "", "\(run.rows)",
                run.message ?? "",
            ])
        }
        return table
    }

    private func table(_ steps: [StatusDocument.Step]) -> TextTable {
        let hasJobs = steps.contains { $0.jobs != nil }
        var table = TextTable(
            columns: [.init("step"), .init("key"), .init("state"), .init("shards", .right)]
                + (hasJobs ? [.init("jobs")] : []))
        var experiment = ""
        for step in steps {
            if step.experiment != experiment { table.addHeading(step.experiment) }
            experiment = step.experiment
            let shards = step.shards > 0 ? "\(step.shardsDone) of \(step.shards)" : ""
            table.addRow(["  " + step.step, String(step.key.prefix(12)), step.state, shards, step.jobs ?? ""])
        }
        return table
    }
}

/// The one JSON document of `runner status --json`.
private struct StatusDocument: Encodable {
    struct Run: Encodable {
        let experiment: String
        let spec: String
        /// `running`, `abandoned`, `done`, `failed`, `interrupted` or `untrusted`.
        let state: String
        let host: String
        let pid: Int32
        let started: String
        let seconds: Double?
        let rows: Int
        let message: String?

        /// The latest run of each spec, the oldest first.
        static func latest(in database: ResultsDatabase) throws -> [Run] {
            var seen: Set<String> = []
            let runs = try database.runs().filter { seen.insert("\($0.experiment)\n\($0.specName)").inserted }
            return try runs.reversed().map { run in
                Run(
                    experiment: run.experiment, spec: run.specName, state: run.state.word, host: run.host.name,
                    pid: run.process.pid,
                    started: run.startedAt, seconds: run.seconds, rows: try database.metrics(of: run).count,
                    message: run.message)
            }
        }
    }

    struct Step: Encodable {
        let experiment: String
        let step: String
        let key: String
        /// `done`, `started` or `missing`.
        let state: String
        let shardsDone: Int
        let shards: Int
        /// Nil where Slurm knows of none.
        let jobs: String?
    }

    let runs: [Run]
    let steps: [Step]?
    /// Why no step has `jobs`; nil where Slurm was not asked, is not there or answered.
    let queueProblem: String?
}

extension StoredRun {
    fileprivate var specName: String { URL(fileURLWithPath: specPath).lastPathComponent }
}

extension RunState {
    fileprivate var word: String {
        switch self {
        case .running: "running"
        case .abandoned: "abandoned"
        case .ended(let ending): ending.rawValue
        }
    }
}
