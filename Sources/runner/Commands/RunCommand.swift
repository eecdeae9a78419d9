import ArgumentParser
import DenseMath
import Experiments
import Foundation
import Pipeline
import Results

/// `runner run --spec X`: computes what is missing, saves the rows, prints the tables.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run an experiment; what was computed before is not computed again.")

    @OptionGroup var options: SpecOptions
    @Option(help: ArgumentHelp("Workers; the numbers do not depend on it.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount
    @Option(help: ArgumentHelp("Memory that steps may take together, such as 4G; fewer workers run if it is short.", valueName: "SIZE"))
    var memory: ByteCount?
    @Option(help: ArgumentHelp("Seconds to wait for another runner that works in the same folder.", valueName: "S"))
    var lockTimeout = 10
    @Flag(help: "Print one JSON document with state and rows instead of tables, also on failure.")
    var json = false

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs has to be at least 1") }
        if lockTimeout < 0 { throw ValidationError("--lock-timeout has to be at least 0") }
    }

    func run() throws {
        let interruption = Interruption()
        do {
            try run(interruption)
        } catch PipelineError.interrupted {
            throw Failure(
                interruption.code ?? .interrupted, "interrupted; finished shards are kept",
                fix: "go on with: \(CommandLine.arguments.map(\.quotedForShell).joined(separator: " "))")
        }
    }

    private func run(_ interruption: Interruption) throws {
        let (spec, experiment, graph) = try options.experiment()
        let progress = Progress()
        // Held until every row is written: another runner would sweep what looks abandoned.
        let folder = try ResultsFolder(
            options.resultsURL, lockTimeout: .seconds(lockTimeout), cancellation: interruption.cancellation
        ) { holder in
            let who = holder.map { "process \($0.pid)" } ?? "another process"
            Console.tell("waiting for \(who), which works in \(options.results)\n")
        }
        let output = ResultFiles(folder: options.resultsURL, experiment: type(of: experiment).name)
        let database = try ResultsDatabase(writingTo: output.database)
        let run = try database.begin(RunDescription(spec: spec, experiment: experiment, isPartial: options.limit != nil))
        let result: ExecutionResult
        var report: ExperimentReport
        do {
            result = try Executor(
                graph, in: folder,
                options: .init(workers: jobs, memoryLimit: memory?.bytes, force: options.plannedForce),
                cancellation: interruption.cancellation, observer: progress.show
            ).run()
            report = try experiment.report(result)
            report.markUntrusted()
            try output.write(report)
        } catch {
            let ending: RunEnding = if case PipelineError.interrupted = error { .interrupted } else { .failed }
            // The error that ended the run is the one to report, even if this cannot be recorded.
            _ = try? database.end(run, as: ending, message: Failure(error).message)
            throw error
        }
        try database.end(
            run, as: report.failedControls.isEmpty ? .done : .untrusted, steps: result.outcomes, metrics: report.metrics,
            predictions: report.predictions,
            message: report.failedControls.isEmpty ? nil : report.failedControls.words)
        try database.writeSnapshot(to: output.snapshot)
        try database.close()
        try withExtendedLifetime(folder) { try show(report, result, output) }
    }

    private func show(_ report: ExperimentReport, _ result: ExecutionResult, _ output: ResultFiles) throws {
        if json {
            let failure = failure(of: report, output)
            try Console.print(
                RunDocument(
                    state: report.failedControls.isEmpty ? failure == nil ? "done" : "failed" : "untrusted",
                    rows: report.metrics, error: failure?.message, fix: failure?.fix
                ).text())
        } else {
            for table in report.tables {
                if !report.failedControls.isEmpty { try Console.print("DO NOT TRUST THIS TABLE: a control failed, see below.\n\n") }
                try Console.print(MetricTable.make(table, metrics: report.metrics).rendered() + "\n")
            }
            let computed = result.outcomes.filter { $0.status == .computed }
            let seconds = computed.reduce(0) { $0 + $1.seconds }
            let work = computed.isEmpty
                ? "Nothing to compute: every step was done before."
                : "Computed \(computed.count) of \(result.outcomes.count) steps in \(Progress.duration(seconds)), \(jobs) workers, BLAS core \(BLAS.coreName)."
            let files = [output.database, output.metrics, output.predictions].map(\.relativePath).joined(separator: ", ")
            try Console.print("\(work)\nRows: \(files)\n")
        }
        if var failure = failure(of: report, output) {
            failure.isDocumented = json
            throw failure
        }
    }

    /// Why a run whose rows are saved is no success.
    private func failure(of report: ExperimentReport, _ output: ResultFiles) -> Failure? {
        guard report.failedControls.isEmpty else {
            return Failure(
                .untrusted, "these numbers must not be trusted: " + report.failedControls.words,
                fix: "look for the cause before reading the table; the rows are saved, marked 'untrusted'")
        }
        if let bad = report.metrics.first(where: { ![.ok, .notRun].contains($0.status) }) {
            let subject = bad.subject.columns.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            return Failure(.failed, "\(bad.name) (\(subject)) has no value: \(bad.status.rawValue)", fix: "see its row in \(output.metrics.relativePath)")
        }
        return nil
    }
}
