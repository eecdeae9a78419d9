import Foundation
import Results
import Testing

/// Several runners on one results folder at once: one set of rows, each shard computed once.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct SeveralRunnersTests {
    static let patience = ["--lock-timeout", "300"]

    @Test func runnersTakeTurnsAndComputeEachShardOnce() throws {
        let counts = Torture.isOn ? Array(2...8) : [3]
        for count in counts {
            let run = try KillTests.prepared()
            defer { run.remove() }
            let started = try (0..<count).map { _ in try run.start(nil, Self.patience) }
            let outcomes = try started.map { try $0.end() }
            for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
            #expect(outcomes.filter { !$0.committed.isEmpty }.count == 1, "one runner has all the work to do")
            #expect(outcomes.contains { $0.errors.contains("waiting for process ") }, "no runner waited")
            try run.finish(after: outcomes)

            let database = try ResultsDatabase(readingFrom: run.database)
            let runs = try database.runs(of: "mean-ablation")
            #expect(runs.count == count + 1)
            #expect(Set(runs.map(\.rowsRun)).count == 1, "rows are stored once")
        }
    }

    /// The lock of a dead process holds nobody up, and its finished shards are the next one's.
    @Test func aRunnerThatIsKilledIsFollowedByOneThatWaits() throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let first = try run.start(Fault(kind: .hang, at: 12, only: "/shards/"))
        try first.waitForFault()
        let pid = first.running.process.processIdentifier
        let others = try (0..<2).map { _ in try run.start(nil, Self.patience) }
        for other in others {
            try other.wait {
                try String(contentsOf: other.running.errors, encoding: .utf8).contains("waiting for process \(pid),")
            }
        }
        // One that has no time to wait says who works there, and does nothing.
        let hurried = try run.run(nil, ["--lock-timeout", "1"])
        #expect(hurried.status == 75 && hurried.errors.contains("process \(pid) on "), "\(hurried.errors)")
        #expect(hurried.log.calls.allSatisfy { $0.path.contains("probe") || $0.path == ".lock" || $0.name == "mkdir" })

        kill(pid, SIGKILL)
        let killed = try first.end()
        #expect(killed.wasKilled && !killed.committed.isEmpty, "\(killed.status) \(killed.errors)")
        Tally.shared.count(\.kills)
        let outcomes = try others.map { try $0.end() }
        for outcome in outcomes { #expect(outcome.status == 0, "\(outcome.errors)") }
        try run.finish(after: [killed] + outcomes)
    }
}
