import ArgumentParser
import Foundation
import Foundations
import Pipeline
import Slurm

/// `runner task`: what a job of a cluster runs; not for people.
struct TaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task", abstract: "Compute some shards of one step, or its end, beside the run that submitted it.",
        shouldDisplay: false)

    @OptionGroup var options: SpecOptions
    @OptionGroup var permission: PermissionOptions
    @Option(help: "The path of the spec of which --spec is a copy.")
    var specPath: String?
    @Option(help: "The step's key.")
    var step: String
    @Option(help: "Shards, first-last; left out: make the artefact of all shards.")
    var shards: String?
    @Option(help: "Workers.")
    var jobs = 1
    @Option(help: "Where to leave word of an error that another attempt would repeat.")
    var failure: String?

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs has to be at least 1") }
        if shards != nil, shardRange == nil { throw ValidationError("--shards has to be first-last") }
        if options.spec.count != 1 { throw ValidationError("a task has one spec") }
    }

    private var shardRange: ClosedRange<Int>? {
        let ends = (shards ?? "").split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
        return ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
    }

    func run() throws {
        let interruption = Interruption()
        do {
            try work(interruption.cancellation)
        } catch PipelineError.interrupted {
            throw Failure(interruption.code ?? .interrupted, "interrupted; finished shards are kept")
        } catch {
            let failure = Failure(error)
            if failure.isRepeatable { leave(failure) }
            throw failure
        }
    }

    private func work(_ cancellation: Cancellation) throws {
        let copy = try SpecDocument(contentsOf: URL(fileURLWithPath: options.spec[0]))
        // Paths in a spec begin at its folder, which is not that of the copy.
        let document = try SpecDocument(text: copy.text, path: specPath ?? copy.path)
        let (experiments, _) = try options.experiments([document])
        try permission.check(experiments, passesOptions: false)
        for experiment in experiments {
            let task = try StepTask(
                experiment.graph, step: step, results: options.resultsURL, cancellation: cancellation)
            if let shardRange {
                try task.computeShards(shardRange, workers: jobs)
            } else {
                let missing = try task.finish()
                if !missing.isEmpty {
                    Console.tell("shards \(ArrayTasks.ranges(missing)) are not there; the submitter sees to them\n")
                }
            }
        }
    }

    /// If it cannot be said, the submitter tries again, and the log has it.
    private func leave(_ error: Failure) {
        guard let failure else { return }
        let record = TaskFailure(
            code: error.code.rawValue, message: error.message, fix: error.fix, host: ProcessIdentity.current.host)
        let file = URL(fileURLWithPath: failure)
        if let data = try? ArtefactJSON.encode(record) { try? OutputFolder.write(data, to: file) }
    }
}

extension Failure {
    /// Whether another attempt, perhaps on another node, would end the same way.
    fileprivate var isRepeatable: Bool {
        switch code {
        case .unavailable, .cannotWrite, .saveFailed, .lockHeld, .interrupted, .terminated: false
        case .failed, .untrusted, .usage, .badData, .inputMissing, .internalError: true
        }
    }
}
