import Foundation
import Foundations
import Pipeline

/// Slurm's commands, with the patience that its controller needs.
struct SlurmCommands: Sendable {
    /// Called before waiting, and now and then meanwhile; throws to stop.
    let check: @Sendable () throws -> Void
    let tell: @Sendable (String) -> Void
    /// Seconds to wait for a controller that does not answer.
    var patience = 900
    /// Runs one of Slurm's commands.
    var execute: @Sendable ([String]) throws -> Output = { try SlurmCommands.run($0) }

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

    /// Submits a job, once: the controller may have taken one of which it did not tell.
    /// - Throws: `SlurmError`, and what `check` throws.
    func submit(_ options: [String], script: URL) throws -> Submission {
        let result = try execute(["sbatch"] + options + [script.path])
        if result.isSuccess {
            guard let job = Self.job(result.output) else {
                throw SlurmError.unreadable(command: "sbatch", output: result.output)
            }
            return .job(job)
        }
        try check()
        if Self.isPassing(result.errors) { return .unanswered(result.errors) }
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
            "Unable to contact slurm controller", "Socket timed out", "Connection timed out", "Connection refused",
            "Connection reset",
            "Zero Bytes were transmitted", "standby mode", "temporarily unable to accept job",
            "Resource temporarily unavailable",
            "Communication connection failure", "Transport endpoint is not connected", "Message receive failure",
        ].contains { errors.localizedCaseInsensitiveContains($0) }
    }

    /// Repeats a command that changes nothing by being repeated.
    private func patiently(_ command: [String]) throws -> String {
        var silence = Silence(limit: patience)
        while true {
            try check()
            let result = try execute(command)
            if result.isSuccess { return result.output }
            // A terminal interrupts the command together with the run.
            try check()
            guard Self.isPassing(result.errors) else {
                throw SlurmError.refused(command: command[0], output: result.errors)
            }
            try bear(&silence, of: command[0], result.errors)
        }
    }

    /// Waits before a command is tried again that the controller did not answer.
    /// - Throws: `SlurmError.unreachable` where it has been silent for too long, and what `check` throws.
    func bear(_ silence: inout Silence, of command: String, _ output: String) throws {
        if silence.isNew { tell("Slurm's controller does not answer; asking again") }
        guard let pause = silence.nextPause() else {
            throw SlurmError.unreachable(command: command, output: output, seconds: Int(silence.seconds))
        }
        try wait(pause)
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
        if process.terminationReason == .exit, process.terminationStatus == 127 {
            throw SlurmError.commandMissing(command[0])
        }
        return Output(
            isSuccess: process.terminationReason == .exit && process.terminationStatus == 0,
            output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: problems, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
}

/// What came of a submission.
enum Submission: Equatable {
    /// The number of the job.
    case job(String)
    /// The controller did not answer, and said so: nobody knows whether there is a job now, but the queue will tell.
    case unanswered(String)
}

/// How long a controller has not answered; from its first word of silence on.
struct Silence {
    /// Seconds.
    let limit: Int
    private let start = ContinuousClock.now
    private var pauses = 0

    init(limit: Int) { self.limit = limit }

    var seconds: Double { (ContinuousClock.now - start).seconds }
    /// Whether nothing has been waited for yet.
    var isNew: Bool { pauses == 0 }

    /// Seconds to wait before asking again, more each time; nil where it has been long enough.
    mutating func nextPause() -> Double? {
        guard seconds < Double(limit) else { return nil }
        pauses += 1
        return min(30, 0.25 * pow(2, Double(pauses)))
    }
}
