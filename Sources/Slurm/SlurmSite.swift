import Foundation
import Foundations
import Pipeline
import Synchronization

/// A cluster under Slurm: the shards of a step are an array job, its end is a job that waits for that.
///
/// What Slurm says is a hint. A step is done when its artefact is in the store with its digest; a shard is, when its
/// manifest is. Jobs are found again by their name, which follows from the results folder and the step, so that a
/// submitter that was killed, at whatever moment, goes on with the jobs that are there.
public final class SlurmSite: StepSite {
    private let results: URL
    private let spec: SpecDocument
    private let script: @Sendable (URL) -> JobScript
    private let settings: SlurmSettings
    private let tell: @Sendable (String) -> Void
    private let commands: @Sendable (_ check: @escaping @Sendable () throws -> Void) -> SlurmCommands
    private let current = Mutex<String?>(nil)

    /// Seconds between two looks at the queue: the first of a step, and the longest.
    private static let pauses = (first: 0.5, longest: 15.0)

    /// - Parameters:
    ///   - script: what a job runs, given the file that has the spec's text.
    ///   - tell: gets lines for people.
    public convenience init(
        results: URL, spec: SpecDocument, settings: SlurmSettings, script: @escaping @Sendable (URL) -> JobScript,
        tell: @escaping @Sendable (String) -> Void
    ) {
        self.init(results: results, spec: spec, settings: settings, script: script, tell: tell) {
            SlurmCommands(check: $0, tell: tell)
        }
    }

    /// - Parameter commands: Slurm's, which stop when the check throws.
    init(
        results: URL, spec: SpecDocument, settings: SlurmSettings, script: @escaping @Sendable (URL) -> JobScript,
        tell: @escaping @Sendable (String) -> Void,
        commands: @escaping @Sendable (_ check: @escaping @Sendable () throws -> Void) -> SlurmCommands
    ) {
        self.results = results
        self.spec = spec
        self.settings = settings
        self.script = script
        self.tell = tell
        self.commands = commands
    }

    /// The name of the jobs that are under way, for whoever wants to end them.
    public var jobName: String? { current.withLock { $0 } }

    /// The name of a step's jobs: the same from every node and for every submitter.
    public static func jobName(results: URL, step: StepKey) -> String {
        let place = results.resolvingSymlinksInPath().path
        return "clip-lens-" + Digest.sha256(of: Data("\(place)\n\(step.digest)".utf8)).prefix(16)
    }

    /// Tasks of this user that wait or run, by the names of their jobs; asked for once.
    /// - Throws: `SlurmError`: `.commandMissing` where there is no Slurm, `.unreachable` where its controller does not answer.
    public static func queue() throws -> [String: [QueuedTask]] {
        let commands = SlurmCommands(check: {}, tell: { _ in }, patience: 0)
        return Dictionary(grouping: try commands.tasks(named: nil).filter(\.isAlive), by: \.name)
    }

    // MARK: A step

    public func complete(_ step: PendingStep) throws {
        let name = Self.jobName(results: results, step: step.key)
        let folder = JobFolder(results: results, kind: step.kind, key: step.key)
        let commands = commands(step.checkCancellation)
        try folder.make(for: spec)
        let former = step.glance().shardsDone
        // Those of which there is a job; while Slurm does not answer, there may be one or none.
        var submissions = 0
        var silence: Silence?
        var alive = try commands.tasks(named: name).filter(\.isAlive)
        if !alive.isEmpty { tell("\(step.name): going on with job \(alive[0].job), \(alive.words)") }
        while true {
            current.withLock { $0 = alive.isEmpty ? nil : name }
            if alive.isEmpty {
                let standing = try step.verify()
                if standing.isComplete { break }
                if submissions > 0 || silence != nil, let found = folder.failure() {
                    throw SlurmError.taskFailed(found.failure, log: folder.log(of: found.name)?.path)
                }
                guard submissions < attempts else {
                    throw try lost(step, standing, attempts: submissions, folder, commands.tasks(named: name))
                }
                if submissions > 0, silence == nil {
                    tell("\(step.name): \(Self.words(standing)) without a result, submitted again")
                }
                folder.clearFailures()
                if case .unanswered(let output) = try submit(step, standing, name, folder, commands) {
                    var longer = silence ?? Silence(limit: commands.patience)
                    try commands.bear(&longer, of: "sbatch", output)
                    silence = longer
                    alive = try commands.tasks(named: name).filter(\.isAlive)
                    if alive.isEmpty { continue }
                }
                submissions += 1
                silence = nil
            } else {
                try mend(alive, step, name, folder, commands)
            }
            alive = try watch(step, name, former: former, commands)
        }
        current.withLock { $0 = nil }
    }

    public func forget(_ step: PendingStep) {
        JobFolder(results: results, kind: step.kind, key: step.key).remove()
    }

    private var attempts: Int { settings.attempts ?? 3 }

    /// Looks at the queue until nothing of the step is in it, or something is odd.
    /// - Returns: the tasks that are alive.
    private func watch(_ step: PendingStep, _ name: String, former: Int, _ commands: SlurmCommands) throws
        -> [QueuedTask]
    {
        var pause = Self.pauses.first
        var words = ""
        var reported = former
        while true {
            // Files are looked at often, the queue is not: the step may be done long before Slurm is asked again.
            try commands.wait(pause) {
                let standing = step.glance()
                if standing.shardsDone != reported { step.report(shards: standing.shardsDone, former: former) }
                reported = standing.shardsDone
                return standing.isDone
            }
            if step.glance().isDone, try step.verify().isComplete { return [] }
            let alive = try commands.tasks(named: name).filter(\.isAlive)
            try commands.cancel(alive.stuck)
            if alive.isEmpty || !alive.surplus.isEmpty || alive.jobs(.finish).isEmpty {
                // A shared file system, or a queue, may tell late what has happened.
                try commands.wait(1) { step.glance().isDone }
                return try commands.tasks(named: name).filter(\.isAlive)
            }
            if alive.words != words { tell("  \(step.kind): \(alive.words)") }
            words = alive.words
            pause = min(Self.pauses.longest, pause * 1.5)
        }
    }

    /// Brings the jobs of a submitter that was killed into the order that it had in mind.
    private func mend(
        _ alive: [QueuedTask], _ step: PendingStep, _ name: String, _ folder: JobFolder, _ commands: SlurmCommands
    ) throws {
        try commands.cancel(alive.surplus)
        if alive.jobs(.finish).isEmpty {
            _ = try submitFinish(step, name, after: alive.jobs(.shards), folder, commands)
        }
    }

    // MARK: Submission

    private func submit(
        _ step: PendingStep, _ standing: PendingStep.Standing, _ name: String, _ folder: JobFolder,
        _ commands: SlurmCommands
    ) throws -> Submission {
        current.withLock { $0 = name }
        if let sharding = step.sharding, !standing.missingShards.isEmpty {
            let tasks = ArrayTasks(
                pending: standing.missingShards, of: sharding.shardCount, wanted: settings.shardsPerTask ?? cpus,
                limit: try commands.maxArraySize())
            let workers = min(cpus, tasks.shardsPerTask)
            let text = script(folder.spec).adding(["--step", step.key.digest, "--jobs", "\(workers)"])
                .text(shardsPerTask: tasks.shardsPerTask, failures: folder.failures.path)
            let job: String
            switch try submit(
                .shards, text, array: tasks.ranges, workers: cpus, after: [], step, name, folder, commands)
            {
            case .job(let number): job = number
            case .unanswered(let output): return .unanswered(output)
            }
            let count = tasks.tasks.count
            tell("\(step.name), \(Self.words(standing)): job \(job), \(count) task\(count == 1 ? "" : "s")")
            // Whether or not its end was taken too: what is missing in the queue is submitted again.
            _ = try submitFinish(step, name, after: [job], folder, commands)
            return .job(job)
        }
        let end = try submitFinish(step, name, after: [], folder, commands)
        if case .job = end { tell("\(step.name): one task") }
        return end
    }

    private func submitFinish(
        _ step: PendingStep, _ name: String, after: [String], _ folder: JobFolder, _ commands: SlurmCommands
    ) throws -> Submission {
        let text = script(folder.spec).adding(["--step", step.key.digest, "--jobs", "1"])
            .text(shardsPerTask: nil, failures: folder.failures.path)
        return try submit(.finish, text, array: "0", workers: 1, after: after, step, name, folder, commands)
    }

    private func submit(
        _ role: JobRole, _ text: String, array: String, workers: Int, after: [String], _ step: PendingStep,
        _ name: String,
        _ folder: JobFolder, _ commands: SlurmCommands
    ) throws -> Submission {
        let script = try folder.write(script: text, role)
        let options = JobOptions(
            name: name, role: role, array: array, logs: folder.logs.path, folder: results.path, cpus: workers,
            memory: step.memory?.bytes(workers: workers) ?? 0, after: after, settings: settings)
        return try commands.submit(options.arguments, script: script)
    }

    private var cpus: Int { settings.cpus ?? 1 }

    // MARK: Failure

    private func lost(
        _ step: PendingStep, _ standing: PendingStep.Standing, attempts: Int, _ folder: JobFolder, _ tasks: [QueuedTask]
    ) -> SlurmError {
        // Of the task that had the first missing shard, if Slurm still knows it, and else of any.
        let suspects = tasks.filter {
            $0.state != "COMPLETED" && $0.role == (standing.missingShards.isEmpty ? .finish : .shards)
        }
        let last = suspects.max { (Int($0.job) ?? 0, -($0.task ?? 0)) < (Int($1.job) ?? 0, -($1.task ?? 0)) }
        let log =
            last.flatMap { last in last.task.map { folder.log(job: last.job, task: $0) } }
            ?? folder.latestLog { _ in true }
        return .tasksLost(
            LostTasks(
                step: step.name, shards: standing.missingShards, attempts: attempts, state: last?.state, log: log?.path,
                lastLines: log.map { JobFolder.lastLines($0) } ?? []))
    }

    private static func words(_ standing: PendingStep.Standing) -> String {
        let count = standing.missingShards.count
        return count == 0 ? "its end" : count == 1 ? "shard \(standing.missingShards[0])" : "\(count) shards"
    }
}

extension JobScript {
    fileprivate func adding(_ arguments: [String]) -> JobScript {
        var script = self
        script.command += arguments
        return script
    }
}
