import ArgumentParser
import DenseMath
import Experiments
import Foundation
import Pipeline
import Results
import Slurm

/// `runner run --spec X`: computes what is missing, saves the rows, prints the tables.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run experiments; what was computed before is not computed again.")

    @OptionGroup var options: SpecOptions
    @OptionGroup var permission: PermissionOptions
    @Option(help: ArgumentHelp("Workers; the numbers do not depend on it.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount
    @Option(
        help: ArgumentHelp(
            "Memory that steps may take together, such as 4G; fewer workers run if it is short.", valueName: "SIZE"))
    var memory: ByteCount?
    @Option(help: ArgumentHelp("Seconds to wait for another runner that works in the same folder.", valueName: "S"))
    var lockTimeout = 10
    @Flag(
        help:
            "Also tell where the time and the memory went, by step: tables, and profile.csv and profile-steps.csv in the results folder."
    )
    var profile = false
    @OptionGroup(title: "A cluster") var slurm: SlurmOptions
    @Flag(help: "Print one JSON document with state and rows instead of tables, also on failure.")
    var json = false

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs has to be at least 1") }
        if lockTimeout < 0 { throw ValidationError("--lock-timeout has to be at least 0") }
        if slurm.executor == .slurm, memory != nil {
            throw ValidationError("--memory is for this machine; --slurm-memory is that of a task")
        }
        if slurm.executor == .slurm, profile { throw ValidationError("--profile sees this process, not a cluster's") }
    }

    func run() throws {
        // Whoever reads the tables may leave before the last; writing to a pipe without a reader is then an error like another.
        signal(SIGPIPE, SIG_IGN)
        let interruption = Interruption { [json] code in
            Self.interrupted(code, "interrupted before any work").tell(json: json)
        }
        var site: SlurmSite?
        do {
            try run(interruption, &site)
        } catch PipelineError.interrupted {
            throw Self.interrupted(
                interruption.code ?? .interrupted,
                "interrupted; \(site?.jobName == nil ? "finished shards are kept" : "the jobs go on")",
                jobs: site?.jobName)
        }
    }

    /// - Parameter jobs: the name of those that go on in a cluster.
    private static func interrupted(_ code: Failure.Code, _ message: String, jobs: String? = nil) -> Failure {
        let again = "go on with: \(CommandLine.arguments.map(\.quotedForShell).joined(separator: " "))"
        return Failure(
            code, message, fix: again + (jobs.map { "\n       end the jobs with: scancel --name=\($0)" } ?? ""))
    }

    /// - Parameter site: where the run computes, if not here.
    private func run(_ interruption: Interruption, _ site: inout SlurmSite?) throws {
        let (experiments, context) = try options.experiments()
        try permission.check(experiments, passesOptions: slurm.executor == .slurm)
        permission.announce(experiments, passesOptions: slurm.executor == .slurm)
        // Before any work: a file that cannot be read decides nothing.
        let papers = try context.papers()
        if papers.papers.isEmpty {
            Console.tell(
                "no file of a paper in experiments/papers beside the manifest: no paper's number stands beside these, and no claim is decided\n"
            )
        }
        let sites = try experiments.map { try slurm.site($0.spec, options) }
        interruption.beginWork()
        // Held until every row is written: another runner would sweep what looks abandoned.
        let folder = try ResultsFolder(
            named: options.results, lockTimeout: .seconds(lockTimeout), interruption.cancellation)
        context.keepMemory()
        let database = try ResultsDatabase(writingTo: ResultFiles.database(in: options.resultsURL))
        var executor = Executor.Options(workers: jobs, memoryLimit: memory?.bytes, force: options.plannedForce)
        executor.machineMemory = ProcessLimits.availableMemory()
        if slurm.executor == .local {
            executor.calibration = try announceTime(of: experiments, in: folder, interruption.cancellation)
        }
        let profile = profile ? Profile(workers: jobs, calibration: executor.calibration) : nil
        var finished: [FinishedExperiment] = []
        var failures: [Failure] = []
        // Nobody reads on: the rows are wanted all the same.
        var unprinted: Failure?
        for (planned, place) in zip(experiments, sites) {
            site = place
            executor.site = place
            do {
                let experiment = try planned.run(
                    in: folder, database: database, executor, isPartial: options.limit != nil, papers: papers,
                    cancellation: interruption.cancellation, profile: profile)
                finished.append(experiment.withoutImages)
                if let failure = experiment.failure { failures.append(failure) }
                if !json, unprinted == nil {
                    do {
                        try experiment.show(by: slurm.executor == .slurm ? "tasks of Slurm" : nil)
                    } catch let failure as Failure {
                        unprinted = failure
                    }
                }
            } catch  where error.isOfTheFolder {
                throw error
            } catch PipelineError.interrupted {
                throw PipelineError.interrupted
            } catch  where experiments.count > 1 {
                // The others' tables do not depend on this one.
                failures.append(Failure(error).inside(planned.name))
            }
        }
        try database.checkInPlace()
        try database.writeSnapshot(to: folder.output, as: ResultFiles.snapshotName)
        try database.close()
        try profile?.write(to: folder.output, isPrinted: !json)
        try folder.check()
        if let unprinted {
            for failure in failures { failure.tell() }
            throw unprinted
        }
        try withExtendedLifetime(folder) { try conclude(finished, failures) }
    }

    /// Tells how long it will take, where that is more than a minute.
    /// - Returns: the speeds that were estimated with.
    private func announceTime(
        of experiments: [PlannedExperiment], in folder: ResultsFolder, _ cancellation: Cancellation
    ) throws -> Calibration? {
        let plans = try experiments.map { try Plan($0.graph, store: folder.store, force: options.plannedForce) }
        guard let estimate = try Estimate(plans, workers: jobs, store: folder.store, cancellation: cancellation) else {
            return nil
        }
        if estimate.time.seconds > 60 { Console.tell("this will take \(estimate.words)\n") }
        return estimate.calibration
    }

    /// Prints what stands of the papers' claims, or the one document, where it was asked for, and ends with the first failure.
    private func conclude(_ finished: [FinishedExperiment], _ failures: [Failure]) throws {
        let ledger = ClaimLedger(finished.map { ($0.files.name, $0.claims, options.limit != nil) })
        if !json, !ledger.entries.isEmpty { try Console.print(ledger.text() + "\n") }
        if json {
            let isUntrusted = finished.contains { !$0.report.failedControls.isEmpty }
            try Console.print(
                RunDocument(
                    state: isUntrusted ? "untrusted" : failures.isEmpty ? "done" : "failed",
                    rows: finished.flatMap(\.report.metrics), claims: ledger.entries.map(\.verdict),
                    error: failures.first?.message, fix: failures.first?.fix
                ).text())
        }
        for failure in failures.dropFirst() { failure.tell() }
        if var first = failures.first {
            first.isDocumented = json
            throw first
        }
    }
}
