import ArgumentParser
import Foundation
import Pipeline
import Results

/// `runner plan --spec X`: which steps would run, why, how long, in how much memory.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show the steps of an experiment and why each would run or not; computes nothing.",
        discussion: """
            Times are estimates: a step's operations at the speed that this machine was measured at, which takes a \
            few seconds once and is kept in the results folder, corrected by how steps of the same kind turned out \
            there before. They are meant for a machine that does nothing else, and may be wrong by half for steps of \
            a kind that never ran there.

            What a spec would run, send, pass to Slurm and read outside its folder is shown before its steps.
            """)

    @OptionGroup var options: SpecOptions
    @Option(help: ArgumentHelp("Workers to state time and memory for.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs has to be at least 1") }
    }

    func run() throws {
        let store = ArtefactStore(results: options.resultsURL)
        let (experiments, context) = try options.experiments()
        // A plan makes no folder, but where there is one, reading an archive again would be a waste.
        if FileManager.default.fileExists(atPath: options.resultsURL.path) { context.keepMemory() }
        let plans = try experiments.map {
            (experiment: $0, plan: try Plan($0.graph, store: store, force: options.plannedForce))
        }
        let estimate = try Estimate(plans.map(\.plan), workers: jobs, store: store)
        for (experiment, plan) in plans {
            let reach = experiment.reachList
            if !reach.isEmpty { try Console.print("\(experiment.spec.path)\n\(reach)\n") }
            try show(plan, estimate, title: experiment.name)
        }
        guard let estimate else { return }
        let peak = plans.flatMap(\.plan.entries).compactMap { $0.status.isRun ? $0.bytes(workers: jobs) : nil }
            .max()
        let memory = peak.map { ", in up to \(ByteCount($0))" } ?? ""
        try Console.print(
            "\(plans.count > 1 ? "All together, what they share once: " : "")\(estimate.words)\(memory)\n")
    }

    private func show(_ plan: Plan, _ estimate: Estimate?, title: String) throws {
        var table = TextTable(
            title: title,
            columns: [
                .init("step"), .init("key"), .init("status"), .init("units left", .right), .init("time", .right),
                .init("memory", .right),
                .init("reason"),
            ])
        for entry in plan.entries {
            table.addRow([
                entry.name, String(entry.key.digest.prefix(12)), entry.status.word,
                entry.unitsLeft > 0 ? "\(entry.unitsLeft)" : "", estimate?.words(entry) ?? "",
                entry.bytes(workers: jobs).map { "\(ByteCount($0))" } ?? "", entry.status.reason,
            ])
        }
        table.addFootnote(
            "\(plan.stepsToRun) of \(plan.entries.count) steps to compute; time and memory are stated for \(jobs) workers."
        )
        try Console.print(table.rendered() + "\n")
    }
}

extension StepStatus {
    fileprivate var word: String {
        switch self {
        case .done: "done"
        case .notNeeded: "not needed"
        case .run: "run"
        }
    }

    fileprivate var reason: String {
        switch self {
        case .done: "its artefact is there and has its digest"
        case .notNeeded: "nothing that runs reads it"
        case .run(.missing): "never computed"
        case .run(.forced): "forced"
        case .run(.damaged(let file)): "\(file.path) is damaged"
        case .run(.incomplete(let finished, let count)): "interrupted: \(finished) of \(count) shards are done"
        case .run(.changed(let changes)): changes.map(\.words).joined(separator: "; ")
        }
    }
}

extension Change {
    fileprivate var words: String {
        switch self {
        case .codeVersion(let old, let new): "the step's code: version \(old) → \(new)"
        case .parameter(let name, let old, let new): "\(name): \(Self.short(old)) → \(Self.short(new))"
        case .sharding: "other shards"
        case .digest(let name, _, _): "another \(name)"
        case .input(let name): "other \(name)"
        }
    }

    private static func short(_ value: ParameterValue?) -> String {
        let text = value?.canonicalJSON ?? "none"
        return text.count > 40 ? text.prefix(39) + "…" : text
    }
}
