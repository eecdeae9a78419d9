import Foundation

/// A Slurm cluster of one node that a test has for itself.
final class PrivateCluster {
    let folder: URL
    /// What makes Slurm's commands find it.
    var environment: [String: String] { ["SLURM_CONF": folder.appendingPathComponent("slurm.conf").path] }

    /// Nil where this machine cannot have one: the daemons are not installed, or do not start.
    static let obstacle: String? = {
        guard let cluster = try? PrivateCluster() else {
            return "slurmctld, slurmd and sbatch are not installed, or do not start"
        }
        cluster.stop()
        return nil
    }()

    struct CommandFailed: Error {
        let output: String
    }

    init() throws {
        // Slurm's paths are limited in length.
        folder = URL(fileURLWithPath: "/tmp/clip-lens-slurm-\(UInt32.random(in: 0...UInt32.max))")
        try Self.script("start", folder)
    }

    func stop() {
        // A cluster that does not stop is nothing that a test could mend.
        _ = try? Self.script("stop", folder)
    }

    deinit { stop() }

    // MARK: The controller

    func killController() throws {
        let text = try String(contentsOf: folder.appendingPathComponent("slurmctld.pid"), encoding: .utf8)
        if let process = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(process, SIGKILL) }
    }

    func startController() throws { try Self.script("controller", folder) }

    /// Ends that the node is drained, if it is.
    func openNode() throws {
        guard try run(["sinfo", "--noheader", "--format=%T"]).contains("drain") else { return }
        let node = try run(["sinfo", "--noheader", "--format=%n"]).trimmingCharacters(in: .whitespacesAndNewlines)
        try run(["scontrol", "update", "NodeName=\(node)", "State=RESUME"])
    }

    // MARK: Commands

    @discardableResult
    private static func script(_ command: String, _ folder: URL) throws -> String {
        guard command != "stop" || FileManager.default.fileExists(atPath: folder.path) else { return "" }
        return try run(
            [RunnerProcess.repository.appendingPathComponent("scripts/private_slurm.sh").path, command, folder.path],
            [:])
    }

    /// One of Slurm's commands.
    @discardableResult
    func run(_ command: [String]) throws -> String { try Self.run(command, environment) }

    private static func run(_ command: [String], _ environment: [String: String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // A file instead of a pipe, which daemons would hold open.
        let log = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)")
        try Data().write(to: log)
        defer { try? FileManager.default.removeItem(at: log) }
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let output = try String(contentsOf: log, encoding: .utf8)
        guard process.terminationStatus == 0 else { throw CommandFailed(output: output) }
        return output
    }

    /// Array jobs of a role that there are or were, by the comments with which they were submitted.
    func jobs(_ role: String) throws -> Set<String> {
        let lines = try run(["squeue", "--noheader", "--array", "--states=all", "--format=%F|%k"]).split(
            separator: "\n")
        return Set(lines.filter { $0.hasSuffix("|\(role)") }.map { String($0.prefix { $0 != "|" }) })
    }
}
