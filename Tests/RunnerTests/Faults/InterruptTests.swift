import Foundation
import Testing

/// SIGINT at chosen calls, and twice.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct InterruptTests {
    /// Interrupts a run at a call, and expects it to end in time and to say how to go on.
    /// - Returns: how it ended, and the command with which it says to go on; nil where there was nothing left to stop.
    @discardableResult
    static func interrupt(_ run: FaultRun, at call: Int, only: String? = nil) throws -> (
        outcome: FaultRun.Outcome, command: String?
    ) {
        let fault = Fault(kind: .int, at: call, only: only)
        let started = try run.start(fault)
        try started.waitForFault()
        let start = ContinuousClock.now
        let outcome = try started.end()
        let took = ContinuousClock.now - start
        guard outcome.log.injected != nil else {
            #expect(outcome.status == 0, "\(fault): \(outcome.errors)")
            return (outcome, nil)
        }
        Tally.shared.count(\.interrupts)
        #expect(took < .seconds(10), "\(fault): \(took)")
        // Too late to stop anything: every row is saved.
        if outcome.status == 0 { return (outcome, nil) }
        #expect(outcome.status == 130, "\(fault): \(outcome.status) \(outcome.errors)")
        let resume = "fix:   go on with: "
        let line = outcome.errors.components(separatedBy: "\n").first { $0.hasPrefix(resume) }
        #expect(line != nil, "\(fault): \(outcome.errors)")
        return (outcome, line.map { String($0.dropFirst(resume.count)) })
    }

    @Test func anInterruptAtAnyPointEndsInTimeAndLosesNothing() throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        var outcomes: [FaultRun.Outcome] = []
        var commands: [String] = []
        for (call, phase) in [
            (1, ".clip-lens-"), (2, "/shards/"), (9, "/shards/"), (1, "-artefact."), (2, "-manifest.json"),
        ] {
            let (outcome, command) = try Self.interrupt(run, at: call, only: phase)
            outcomes.append(outcome)
            command.map { commands.append($0) }
        }
        #expect(commands.count >= 3, "only \(commands.count) runs were interrupted")

        // The command that it says is one that a shell understands.
        let command = try #require(commands.last)
        let again = try RunnerProcess.run(["-c", command], executable: URL(fileURLWithPath: "/bin/sh"))
        #expect(again.status == 0, "\(command): \(again.errors)")
        try run.finish(after: outcomes)
    }

    @Test(arguments: [(1, ".csv"), (3, "results.sqlite-wal"), (20, "results.sqlite"), (5, "results-snapshot")])
    func anInterruptWhileRowsAreSavedLosesNothing(call: Int, phase: String) throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let (outcome, _) = try Self.interrupt(run, at: call, only: phase)
        #expect(outcome.log.injected != nil)
        try run.finish(after: [outcome], phase)
    }

    /// A worker that hangs in a call, as on a network disk that has gone: the first interrupt can only wait for it.
    @Test func aSecondInterruptLeavesAtOnce() throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let started = try run.start(Fault(kind: .hang, at: 3, only: "/shards/"))
        defer { started.running.process.terminate() }
        try started.waitForFault()
        let process = started.running.process.processIdentifier
        kill(process, SIGINT)
        try started.wait {
            try String(contentsOf: started.running.errors, encoding: .utf8).contains("once more to leave at once")
        }
        Thread.sleep(forTimeInterval: 0.3)
        #expect(started.running.process.isRunning, "the hanging call did not hang")
        let second = ContinuousClock.now
        kill(process, SIGINT)
        let outcome = try started.end()
        let took = ContinuousClock.now - second
        #expect(took < .seconds(1), "\(took)")
        #expect(outcome.status == 130)
        Tally.shared.count(\.interrupts)
        try run.finish(after: [outcome])
    }

    /// Before there is work to finish there is nothing to wait for: reading a large model or data set takes minutes.
    @Test func anInterruptBeforeTheWorkEndsAtOnce() throws {
        let run = try FaultRun()
        defer { run.remove() }
        let started = try run.start(Fault(kind: .hangOpen, at: 1, only: "emoji-clip/model.safetensors"))
        defer { started.running.process.terminate() }
        try started.waitForFault()
        let start = ContinuousClock.now
        kill(started.running.process.processIdentifier, SIGINT)
        let outcome = try started.end()
        let took = ContinuousClock.now - start
        #expect(took < .seconds(1), "\(took)")
        #expect(outcome.status == 130, "\(outcome.errors)")
        #expect(outcome.errors.contains("go on with: "), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: run.results.path))
    }
}
