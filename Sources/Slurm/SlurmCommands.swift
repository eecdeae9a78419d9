import Foundation
import Pipeline

/// Slurm's commands, with the patience that its controller needs.
struct SlurmCommands: Sendable {
    /// Called before waiting, and now and then meanwhile; throws to stop.
    let check: @Sendable () throws -> Void
    let tell: @Sendable (String) -> Void
    /// Seconds to wait for a controller that does not answer.
    var patience = 900

    /// Tasks of this user's jobs, those that ended a while ago too.
    /// - Parameter name: of the jobs; nil for all.
    /// - Throws: `SlurmError`, and what `check` throws.
    func tasks(named name: String?) throws -> [QueuedTask] {
        let text = try patiently(
            ["squeue", "--noheader", "--array", "--states=all", "--user=\(getuid())", "--format=\(QueuedTask.format)"]
                + (name.map { ["--name=\($0)"] } ?? []))
        return QueuedTask.list(text)
    }

    /// - Throws: `SlurmError`, and what `check` throws.
    func maxArraySize() throws -> Int {
        let command = ["scontrol", "show", "config"]
        let text = try patiently(command)
        guard let size = Self.maxArraySize(text) else {
            throw SlurmError.unreadable(command: command.joined(separator: " "), output: "no MaxArraySize")
        }
        return size
    }

    static func maxArraySize(_ configuration: String) -> Int? {
        configuration.firstMatch(of: /(?m)^\s*MaxArraySize\s*=\s*([0-9]{1,9})\s*$/).flatMap { Int($0.1) }
    }

    /// - Throws: `SlurmError`, and what `check` throws.
    func cancel(_ jobs: [String]) throws {
        if !jobs.isEmpty { _ = try patiently(["scancel"] + jobs) }
    }

    /// Submits a job.
    /// - Returns: its number; nil where the controller did not answer, so that nobody knows whether there is a job now.
    /// - Throws: `SlurmError`, and what `check` throws.
    func submit(_ options: [String], script: URL) throws -> String? {
        let result = try Self.run(["sbatch"] + options + [script.path])
        if result.isSuccess {
            guard let job = Self.job(result.output) else { throw SlurmError.unreadable(command: "sbatch", output: result.output) }
            return job
        }
        try check()
        if Self.isPassing(result.errors) { return nil }
        throw SlurmError.refused(command: "sbatch", output: result.errors)
    }

    /// The number in `12` or `12;cluster`.
    static func job(_ output: String) -> String? {
        let number = output.split(whereSeparator: \.isNewline).last?.prefix { $0 != ";" } ?? ""
        return number.isEmpty || !number.allSatisfy({ $0.isASCII && $0.isNumber }) ? nil : String(number)
    }

    /// Whether a command failed because of the controller's state, which passes.
    static func isPassing(_ errors: String) -> Bool {
        [
            "Unable to contact slurm controller", "Socket timed out", "Connection timed out", "Connection refused", "Connection reset",
            "Zero Bytes were transmitted", "standby mode", "temporarily unable to accept job", "Resource temporarily unavailable",
            "Communication connection failure", "Transport endpoint is not connected", "Message receive failure",
        ].contains { errors.localizedCaseInsensitiveContains($0) }
    }

    /// Repeats a command that changes nothing by being repeated.
    private func patiently(_ command: [String]) throws -> String {
        let start = ContinuousClock.now
        var pause = 0.5
        while true {
            try check()
            let result = try Self.run(command)
            if result.isSuccess { return result.output }
            // A terminal interrupts the command together with the run.
            try check()
            guard Self.isPassing(result.errors) else {
                throw SlurmError.refused(command: command[0], output: result.errors)
            }
            let seconds = (ContinuousClock.now - start).seconds
            guard seconds < Double(patience) else {
                throw SlurmError.unreachable(command: command[0], output: result.errors, seconds: Int(seconds))
            }
            if pause == 0.5 { tell("Slurm's controller does not answer; asking again") }
            try wait(pause)
            pause = min(30, pause * 2)
        }
    }

    /// - Throws: what `check` throws.
    func wait(_ seconds: Double, until isOver: () -> Bool = { false }) throws {
        let end = ContinuousClock.now + .seconds(seconds)
        repeat {
            try check()
            usleep(50_000)
        } while ContinuousClock.now < end && !isOver()
    }

    struct Output {
        let isSuccess: Bool
        let output: String
        let errors: String
    }

    /// - Throws: `SlurmError.commandMissing`.
    static func run(_ command: [String]) throws -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        guard (try? process.run()) != nil else { throw SlurmError.commandMissing(command[0]) }
        // Errors are a few lines, which the pipe holds while the output is read.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let problems = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        // What `env` says of a command that is not there.
        if process.terminationReason == .exit, process.terminationStatus == 127 { throw SlurmError.commandMissing(command[0]) }
        return Output(
            isSuccess: process.terminationReason == .exit && process.terminationStatus == 0,
            output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: problems, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
