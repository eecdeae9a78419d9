import Foundation
import Pipeline
import Synchronization

@testable import Slurm

/// Slurm's commands as a test wants them to answer, and a run of one step that uses them.
final class FakeSlurm: Sendable {
    /// What comes of a submission.
    enum Fate {
        /// The controller does not answer, and there is no job.
        case unanswered
        /// The controller does not answer, but there is a job, which is seen once and vanishes without a result.
        case takenUnanswered
        /// The job vanishes without a result before it is seen.
        case vanishes
        /// The job does what it is for.
        case succeeds
    }

    struct Number: Artefact, Codable {
        let value: Int
    }

    let results: URL
    private let graph: Graph
    private let fates: Mutex<[Fate]>
    private let visible = Mutex<[String]>([])
    private let lines = Mutex<[String]>([])
    private let count = Atomic(0)

    /// - Parameter fates: of one submission after the other; the last is that of all others too.
    init(_ fates: Fate...) throws {
        results = FileManager.default.temporaryDirectory.appendingPathComponent(
            "slurm-tests-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(at: results, withIntermediateDirectories: true)
        self.fates = Mutex(fates)
        var graph = Graph()
        try graph.add(Step(kind: "number", version: 1, work: .single { _ in Number(value: 1) }))
        self.graph = graph
    }

    deinit { try? FileManager.default.removeItem(at: results) }

    var submissions: Int { count.load(ordering: .relaxed) }
    /// What people were told.
    var told: [String] { lines.withLock { $0 } }

    /// Runs the step.
    /// - Parameter patience: seconds to wait for a controller that does not answer.
    @discardableResult
    func run(attempts: Int = 3, patience: Int = 900) throws -> ExecutionResult {
        var settings = SlurmSettings()
        settings.attempts = attempts
        let tell: @Sendable (String) -> Void = { [self] line in lines.withLock { $0.append(line) } }
        var options = Executor.Options()
        options.site = SlurmSite(
            results: results, spec: try SpecDocument(text: "experiment: x", path: "x.yaml"), settings: settings,
            script: { _ in JobScript(command: ["true"], folder: "/", environment: [:], about: "a test") }, tell: tell
        ) { check in
            SlurmCommands(check: check, tell: tell, patience: patience) { [self] in try answer($0) }
        }
        return try Executor(graph, in: ResultsFolder(results, lockTimeout: .zero), options: options).run()
    }

    /// What the steps' jobs do.
    func finishSteps() throws {
        for step in ArtefactStore(results: results).glance(at: graph) {
            _ = try StepTask(graph, step: step.key.digest, results: results).finish()
        }
    }

    /// Names of the folders of steps' jobs.
    var jobFolders: [String] {
        get throws {
            let folder = results.appendingPathComponent("jobs").path
            return FileManager.default.fileExists(atPath: folder)
                ? try FileManager.default.contentsOfDirectory(atPath: folder) : []
        }
    }

    private func answer(_ command: [String]) throws -> SlurmCommands.Output {
        switch command[0] {
        case "sbatch": return try submit(command)
        case "squeue":
            let text = visible.withLock { visible in
                defer { visible = [] }
                return visible.joined(separator: "\n")
            }
            return SlurmCommands.Output(isSuccess: true, output: text, errors: "")
        default: return SlurmCommands.Output(isSuccess: true, output: "MaxArraySize = 1001\n", errors: "")
        }
    }

    private func submit(_ command: [String]) throws -> SlurmCommands.Output {
        let job = count.add(1, ordering: .relaxed).newValue
        let fate = fates.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        let name = command.first { $0.hasPrefix("--job-name=") }?.dropFirst("--job-name=".count) ?? ""
        switch fate {
        case .unanswered, .vanishes: break
        case .takenUnanswered: visible.withLock { $0.append("\(name)|\(job)|0|RUNNING|finish|None") }
        case .succeeds: try finishSteps()
        }
        return fate == .unanswered || fate == .takenUnanswered
            ? SlurmCommands.Output(
                isSuccess: false, output: "",
                errors: "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation")
            : SlurmCommands.Output(isSuccess: true, output: "\(job)\n", errors: "")
    }
}
