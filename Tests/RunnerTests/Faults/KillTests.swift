import Foundation
import Foundations
import Testing

/// The whole program, killed and interrupted at chosen calls by which it changes files: the same command ends
/// with the same table, rows and artefacts, and computes no shard again.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct KillTests {
    /// Parts of paths, one for each phase of a run in its order.
    static let phases = [
        "cache/inputs/", "/shards/", "artefact.", "-manifest.json", ".csv", "results.sqlite", "results-snapshot",
    ]

    /// Results in which everything is done but some steps, the rows and the files.
    static func prepared() throws -> FaultRun {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        for path in [
            "cache/inputs", "cache/ablation-predictions", "cache/overlap", "results.sqlite", "results-snapshot.sqlite",
        ] {
            try FileManager.default.removeItem(at: run.results.appendingPathComponent(path))
        }
        return run
    }

    /// Has a runner meet a fault that kills it.
    /// - Returns: nil where it was over before.
    static func kill(_ run: FaultRun, _ fault: Fault) throws -> FaultRun.Outcome? {
        let outcome = try run.run(fault)
        guard outcome.log.injected != nil else {
            #expect(outcome.status == 0, "\(fault): \(outcome.errors)")
            return nil
        }
        #expect(outcome.wasKilled, "\(fault): exit \(outcome.status), \(outcome.errors)")
        Tally.shared.count(\.kills)
        return outcome
    }

    /// Each run finds what the killed one before it left.
    @Test(arguments: phases) func killsInAPhaseLoseNothing(phase: String) throws {
        let run = try Self.prepared()
        defer { run.remove() }
        var outcomes: [FaultRun.Outcome] = []
        for (at, kind) in [(1, Fault.Kind.kill), (2, .torn), (3, .kill), (7, .torn), (12, .kill)] {
            guard let outcome = try Self.kill(run, Fault(kind: kind, at: at, only: phase)) else { break }
            outcomes.append(outcome)
        }
        #expect(outcomes.count >= 3, "only \(outcomes.count) kills")
        try run.finish(after: outcomes, phase)
    }

    /// From nothing, again and again, until a run gets through.
    @Test func runsKilledAtAnyCallEndWithTheSameRows() throws {
        let run = try FaultRun()
        defer { run.remove() }
        let outcomes = try Self.killAgainAndAgain(run, seed: UInt64.random(in: 0...(.max)), longest: 300)
        #expect(outcomes.count >= 2)
        try run.finish(after: outcomes)
    }

    /// - Returns: the killed runs.
    static func killAgainAndAgain(_ run: FaultRun, seed: UInt64, longest: Int) throws -> [FaultRun.Outcome] {
        print("kills at random calls, seed \(seed)")
        var generator = SplitMix64(seed: seed)
        var outcomes: [FaultRun.Outcome] = []
        while outcomes.count < 100 {
            let kind: Fault.Kind = Bool.random(using: &generator) ? .kill : .torn
            guard let outcome = try kill(run, Fault(kind: kind, at: .random(in: 1...longest, using: &generator))) else {
                break
            }
            outcomes.append(outcome)
        }
        return outcomes
    }
}

/// What all faults of this process came to, for the line that `make torture` ends with.
final class Tally: @unchecked Sendable {
    static let shared = Tally()

    struct Counts {
        var kills = 0
        var interrupts = 0
        var faults = 0
        var mutations = 0
        /// Runs that did not end with the rows of an undisturbed one.
        var lost = 0
    }

    private let lock = NSLock()
    private var counts = Counts()

    func count(_ what: WritableKeyPath<Counts, Int>) { lock.withLock { counts[keyPath: what] += 1 } }

    var all: Counts { lock.withLock { counts } }
}
