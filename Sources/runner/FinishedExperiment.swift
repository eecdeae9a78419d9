import DenseMath
import Experiments
import Foundation
import Foundations
import Pipeline
import Results
import Synchronization

/// An experiment whose rows are saved.
struct FinishedExperiment {
    private(set) var report: ExperimentReport
    /// What became of the papers' claims about the experiment.
    let claims: [ClaimVerdict]
    let outcomes: [StepOutcome]
    let files: ResultFiles
    /// The most that worked at once on a step.
    let workers: Int

    /// Prints the tables, and where the rows are.
    /// - Parameter tasks: who computed, if not workers here.
    func show(by tasks: String?) throws {
        for table in report.tables {
            if !report.failedControls.isEmpty {
                try Console.print("DO NOT TRUST THIS TABLE: \(report.failedControls.words).\n\n")
            }
            try Console.print(MetricTable.make(table, metrics: report.metrics).rendered() + "\n")
        }
        let computed = outcomes.filter { $0.status == .computed }
        let seconds = computed.reduce(0) { $0 + $1.seconds }
        let work =
            computed.isEmpty
            ? "Nothing to compute: every step was done before."
            : "Computed \(computed.count) of \(outcomes.count) steps in \(Progress.duration(seconds)), \(tasks ?? "\(workers) worker\(workers == 1 ? "" : "s")"), BLAS core \(BLAS.coreName), linear layers by \(LinearLibrary.current.description)."
        let paths =
            ([files.database, files.metrics] + (report.predictions.isEmpty ? [] : [files.predictions])
            + report.attachments.map(files.attachment))
            .map(\.relativePath).joined(separator: ", ")
        try Console.print("\(work)\nRows: \(paths)\n\n")
    }

    /// Without what grows with the images, once it is saved: the experiments that follow need the memory.
    var withoutImages: Self {
        var experiment = self
        (experiment.report.predictions, experiment.report.attachments) = ([], [])
        for index in report.metrics.indices { experiment.report.metrics[index].terms = nil }
        return experiment
    }

    /// Why a run whose rows are saved is no success.
    var failure: Failure? {
        guard report.failedControls.isEmpty else {
            return Failure(
                .untrusted, "these numbers must not be trusted: " + report.failedControls.words,
                fix: "look for the cause before reading the table; the rows are saved, marked 'untrusted'")
        }
        if let bad = report.metrics.first(where: { ![.ok, .notRun].contains($0.status) }) {
            let subject = bad.subject.columns.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            return Failure(
                .failed, "\(bad.name) (\(subject)) has no value: \(bad.status.rawValue)",
                fix: "see its row in \(files.metrics.relativePath)")
        }
        return nil
    }
}

extension PlannedExperiment {
    /// Computes the steps and saves the rows; the run is recorded however it ends.
    func run(
        in folder: ResultsFolder, database: ResultsDatabase, _ options: Executor.Options, isPartial: Bool,
        papers: Papers,
        cancellation: Cancellation, profile: Profile? = nil
    ) throws -> FinishedExperiment {
        let files = ResultFiles(folder: folder.output, experiment: name, spec: spec)
        let run = try database.begin(RunDescription(spec: spec, experiment: experiment, isPartial: isPartial))
        let result: ExecutionResult
        var report: ExperimentReport
        let attachments: [StoredAttachment]
        let workers: Int
        do {
            let progress = Progress()
            let most = Mutex(1)
            result = try Executor(graph, in: folder, options: options, cancellation: cancellation) { event in
                progress.show(event)
                profile?.note(event)
                if case .started(_, let workers) = event { most.withLock { $0 = max($0, workers) } }
            }.run()
            workers = most.withLock { $0 }
            report = try experiment.report(result)
            report.markUntrusted()
            for index in report.metrics.indices { report.metrics[index].spec = spec.name }
            report.attachments.append(try experiment.inputs.attachment())
            for images in experiment.inputs.images where !images.skipped.isEmpty { Console.tell(images.words) }
            try folder.check()
            try database.checkInPlace()
            attachments = try files.write(report)
        } catch {
            let ending: RunEnding = if case PipelineError.interrupted = error { .interrupted } else { .failed }
            // The error that ended the run is the one to report, even if this cannot be recorded. In a folder that is not this
            // run's alone nothing is.
            if !error.isOfTheFolder { _ = try? database.end(run, as: ending, message: Failure(error).message) }
            throw error
        }
        let claims = papers.verdicts(on: name, report)
        try database.end(
            run, as: report.failedControls.isEmpty ? .done : .untrusted, steps: result.outcomes,
            rows: RunRows(
                metrics: report.metrics, predictions: report.predictions, layouts: report.tables,
                attachments: attachments),
            claims: claims, message: report.failedControls.isEmpty ? nil : report.failedControls.words)
        return FinishedExperiment(
            report: report, claims: claims, outcomes: result.outcomes, files: files, workers: workers)
    }
}

extension Papers {
    /// What becomes of the claims about an experiment by its rows. Rows that must not be trusted decide nothing.
    fileprivate func verdicts(on experiment: String, _ report: ExperimentReport) -> [ClaimVerdict] {
        let judge = ClaimJudge(report.metrics)
        return papers.flatMap { paper in
            paper.claims.filter { $0.experiment == experiment }.map { claim in
                var verdict = judge.verdict(on: claim, of: paper.short)
                if !report.failedControls.isEmpty {
                    (verdict.verdict, verdict.isQualified) = (.notMeasured, false)
                    verdict.because = "a control failed: \(report.failedControls.words)"
                }
                return verdict
            }
        }
    }
}

extension StudyInputs.Images {
    /// The pictures that were left out.
    fileprivate var words: String {
        let shown = 3
        let listed = skipped.prefix(shown).map { "  \($0.id.visibleLine): \($0.reason)\n" }.joined()
        let rest = skipped.count > shown ? "  and \(skipped.count - shown) more, see inputs.json\n" : ""
        let pictures = skipped.count == 1 ? "1 picture" : "\(skipped.count) pictures"
        return "\(name): \(pictures) could not be read, left out\n" + listed + rest
    }
}

extension Error {
    /// Whether the results folder is no longer this run's alone, or its database is gone: nothing more can be saved.
    var isOfTheFolder: Bool {
        switch self as any Error {
        case PipelineError.lockLost, ResultsError.removed: true
        default: false
        }
    }
}
