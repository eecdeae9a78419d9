import Foundation
import Pipeline

/// What a job runs, as text: everything it needs stands in it, because what reaches a job of the submitter's
/// environment is for the cluster to decide.
public struct JobScript: Equatable, Sendable {
    /// The program and its arguments, but for the shards.
    public var command: [String]
    /// The folder in which it runs.
    public var folder: String
    /// Variables that are set for it.
    public var environment: [String: String]
    /// A line for whoever finds the script.
    public var about: String

    public init(command: [String], folder: String, environment: [String: String], about: String) {
        self.command = command
        self.folder = folder
        self.environment = environment
        self.about = about
    }

    /// The script of an array job over shards, or of a step's end.
    /// - Parameter shardsPerTask: nil for the end.
    /// - Parameter failures: the folder in which a task that fails for good leaves word.
    public func text(shardsPerTask: Int?, failures: String) -> String {
        var lines = ["#!/bin/sh", "# " + about.split(whereSeparator: \.isNewline).joined(separator: " ")]
        lines += environment.sorted { $0.key < $1.key }.map { "export \($0.key)=\($0.value.quotedForShell)" }
        lines.append("cd \(folder.quotedForShell) || exit 74")
        var call = command.map(\.quotedForShell).joined(separator: " ")
        if let shardsPerTask {
            lines.append("first=$((SLURM_ARRAY_TASK_ID * \(shardsPerTask)))")
            // With leading zeros, so that the first failure is the first by name.
            lines.append("name=$(printf shards-%08d \"$SLURM_ARRAY_TASK_ID\")")
            call += " --shards \"$first-$((first + \(shardsPerTask - 1)))\""
        } else {
            lines.append("name=finish")
        }
        // In place of the shell, so that Slurm's signals reach it.
        lines.append("exec \(call) --failure \((failures + "/").quotedForShell)\"$name.json\"")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The options of `sbatch` for one job. On the command line, where neither a variable of the environment nor a line
/// of the script overrides them; no shell reads them.
public struct JobOptions: Equatable, Sendable {
    public var name: String
    public var role: JobRole
    public var array: String
    public var logs: String
    public var folder: String
    public var cpus: Int
    /// Bytes that the step states.
    public var memory: Int
    /// Array jobs that have to be over, however they ended.
    public var after: [String] = []
    public var settings: SlurmSettings

    /// What a process takes besides what its step states, in MiB.
    private static let overhead = 1024

    public var arguments: [String] {
        let mebibytes = min(memory, 1 << 50) / (1 << 20) + Self.overhead
        return settings.options + [
            "--parsable", "--job-name=\(name)", "--comment=\(role.rawValue)", "--array=\(array)",
            // A folder that is missing would end the job without a word, so it has been made.
            "--output=\(logs.replacing("%", with: "%%"))/%A_%a.log", "--open-mode=append", "--chdir=\(folder)",
            "--export=ALL",
            "--nodes=1", "--ntasks=1", "--cpus-per-task=\(cpus)", "--mem=\(settings.memory ?? "\(mebibytes)M")",
        ] + (settings.time.map { ["--time=\($0)"] } ?? []) + (settings.partition.map { ["--partition=\($0)"] } ?? [])
            // Never afterok: an array of which a task failed would keep its end waiting for ever.
            + (after.isEmpty ? [] : ["--dependency=afterany:\(after.joined(separator: ":"))"])
    }
}
