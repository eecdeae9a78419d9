import ArgumentParser
import Foundation
import Pipeline
import Results

/// `runner plan --spec X`: which steps would run, and why.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Show the steps of an experiment and why each would run or not; computes nothing.")

    @OptionGroup var options: SpecOptions
    @Option(help: ArgumentHelp("Workers to state the memory for.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs has to be at least 1") }
    }

    func run() throws {
        let store = ArtefactStore(results: options.resultsURL)
        let (experiments, context) = try options.experiments()
        // A plan makes no folder, but where there is one, reading an archive again would be a waste.
        if FileManager.default.fileExists(atPath: options.resultsURL.path) { context.keepMemory() }
        for planned in experiments {
            try show(Plan(planned.graph, store: store, force: options.plannedForce), title: planned.name)
        }
    }

    private func show(_ plan: Plan, title: String) throws {
        var table = TextTable(title: title, columns: [
            .init("step"), .init("key"), .init("status"), .init("units left", .right), .init("memory", .right), .init("reason"),
        ])
        for entry in plan.entries {
            table.addRow([
                entry.name, String(entry.key.digest.prefix(12)), entry.status.word,
                entry.unitsLeft > 0 ? "\(entry.unitsLeft)" : "",
                entry.memory.map { "\(ByteCount($0.bytes(workers: jobs)))" } ?? "", entry.status.reason,
            ])
        }
        table.addFootnote("\(plan.stepsToRun) of \(plan.entries.count) steps to compute; memory is stated for \(jobs) workers.")
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
