import ArgumentParser
import DenseMath
import Foundation
import Pipeline
import Slurm

/// Where a run computes, and with what its jobs are submitted.
struct SlurmOptions: ParsableArguments {
    enum Executor: String, ExpressibleByArgument, CaseIterable {
        case local, slurm
    }

    @Option(help: ArgumentHelp("Compute here (local) or as jobs of a cluster (slurm).", valueName: "WHERE"))
    var executor = Executor.local
    @Option(
        help: ArgumentHelp(
            "Partition of the jobs; this and the following go before 'slurm:' in the spec.", valueName: "NAME"))
    var slurmPartition: String?
    @Option(help: ArgumentHelp("Time limit of a task, such as 30 (minutes) or 2:00:00.", valueName: "TIME"))
    var slurmTime: String?
    @Option(help: ArgumentHelp("CPUs of a task, which has as many workers (default: 1).", valueName: "N"))
    var slurmCpus: Int?
    @Option(help: ArgumentHelp("Memory of a task, such as 4G (default: what the step states).", valueName: "SIZE"))
    var slurmMemory: String?
    @Option(
        help: ArgumentHelp(
            "Shards that a task computes (default: as many as CPUs, or what MaxArraySize asks for).", valueName: "N"))
    var shardsPerTask: Int?
    @Option(help: ArgumentHelp("How often tasks that vanish are submitted (default: 3).", valueName: "N"))
    var slurmAttempts: Int?
    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A further option of sbatch, such as --account=lens, of those that ask for resources; may be given several times.",
            valueName: "OPTION"))
    var slurmOption: [String] = []

    func validate() throws {
        let problems =
            [
                slurmPartition.flatMap(SlurmSettings.problem(partition:)).map { "--slurm-partition: \($0)" },
                slurmTime.flatMap(SlurmSettings.problem(time:)).map { "--slurm-time: \($0)" },
                slurmMemory.flatMap(SlurmSettings.problem(memory:)).map { "--slurm-memory: \($0)" },
            ] + slurmOption.map { SlurmSettings.problem(option: $0).map { "--slurm-option: \($0)" } }
        if let problem = problems.compactMap(\.self).first { throw ValidationError(problem) }
        for (name, value) in [
            ("slurm-cpus", slurmCpus), ("shards-per-task", shardsPerTask), ("slurm-attempts", slurmAttempts),
        ] {
            if let value, value < 1 { throw ValidationError("--\(name) has to be at least 1") }
        }
    }

    private var settings: SlurmSettings {
        var settings = SlurmSettings()
        settings.partition = slurmPartition
        settings.time = slurmTime
        settings.cpus = slurmCpus
        settings.memory = slurmMemory
        settings.shardsPerTask = shardsPerTask
        settings.attempts = slurmAttempts
        settings.options = slurmOption
        return settings
    }

    /// The cluster for a spec; nil where the run computes here.
    /// - Throws: `SpecError` for a spec that asks a cluster for what there is not, wherever the run computes.
    func site(_ spec: SpecDocument, _ options: SpecOptions) throws -> SlurmSite? {
        let settings = try settings.over(SlurmSettings(spec))
        guard executor == .slurm else { return nil }
        let folder = FileManager.default.currentDirectoryPath
        let command = options.taskCommand(spec)
        return SlurmSite(
            results: options.resultsURL.absoluteURL.standardizedFileURL, spec: spec, settings: settings,
            script: { snapshot in
                JobScript(
                    command: command + ["--spec", snapshot.path], folder: folder, environment: Self.environment,
                    about: "A task of clip-lens for \(spec.path); written by runner run --executor slurm.")
            },
            tell: { Console.tell($0 + "\n") })
    }

    /// What a task needs of the submitter's environment: to find the program's libraries, and what chooses among them and
    /// their kernels.
    private static var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter {
            ["PATH", "HOME", "LD_LIBRARY_PATH"].contains($0.key)
                || ["OPENBLAS_", "CLIP_LENS_", "DNNL_", "ONEDNN_"].contains(where: $0.key.hasPrefix)
        }
    }
}

extension SpecOptions {
    /// The command of a task, but for its spec's snapshot, its step and its shards; no path depends on the folder.
    fileprivate func taskCommand(_ spec: SpecDocument) -> [String] {
        func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
        return [
            program, "task", "--spec-path", absolute(spec.path), "--results", absolute(results), "--manifest",
            absolute(manifest),
        ]
            + (data.map { ["--data", absolute($0)] } ?? []) + (limit.map { ["--limit", "\($0)"] } ?? [])
            // The run has the permission, or it would submit nothing.
            + (spec.reach.deeds(passesOptions: false).isEmpty ? [] : ["--allow-commands"])
    }
}
