import Foundation
import Foundations
import Testing

/// `make torture`: the faults of the other suites at every call there is, in an order of the seed, for as long as asked.
@Suite(.serialized, .enabled(if: Torture.isOn && FaultInjection.isPossible, "runs under make torture"))
struct TortureTests {
    @Test func nothingIsLostHoweverOftenFaultsCome() throws {
        let minutes = try #require(Torture.minutes)
        let end = ContinuousClock.now + .seconds(minutes * 60)
        print("torture for \(minutes) minutes, seed \(Torture.seed)")
        var generator = SplitMix64(seed: Torture.seed)
        let reference = try FaultRun.undisturbed.get()
        let calls = reference.outcome.log.calls.count
        // Every call once before any call twice.
        var order: [Int] = []
        var sweeps = 0
        while ContinuousClock.now < end {
            if order.isEmpty { (order, sweeps) = ((1...calls).shuffled(using: &generator), sweeps + 1) }
            let seed = generator.next()
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...2: try killFromNothing(at: order.removeLast(), sweeps.isMultiple(of: 2) ? .torn : .kill)
            case 3: try killSeveralTimes(seed: seed)
            case 4: try interrupt(at: order.removeLast())
            case 5: try breakDisk(seed: seed)
            case 6: try DamageTests.flipAnyBytes(seed: seed, count: 40)
            default: try DamageTests.flipDatabase(seed: seed, count: 4)
            }
        }
        let all = Tally.shared.all
        print(
            """
            torture: \(all.kills) kills and \(all.interrupts) interrupts survived, \(all.faults) disk faults and \(all.mutations) flipped \
            bytes injected (of \(calls) calls of a run, \(calls - order.count) met in sweep \(sweeps)), results lost: \(all.lost)
            """)
        #expect(all.lost == 0)
    }

    /// Beside the minutes: every bit of the header, and bytes of the declarations and of all the rest.
    @Test func noByteOfADatabaseIsBelievedOrCalledABug() throws {
        print("sweep of a database, seed \(Torture.seed)")
        var generator = SplitMix64(seed: Torture.seed)
        let sweep = try DatabaseSweep()
        defer { sweep.remove() }
        let flips = sweep.all(declarations: 1000, others: 500, &generator)
        let start = ContinuousClock.now
        for flip in flips { try sweep.check(flip) }
        print(
            "\(flips.count) flips of a database read and written to in \(Int((ContinuousClock.now - start).seconds)) s")
    }

    private func killFromNothing(at call: Int, _ kind: Fault.Kind) throws {
        let run = try FaultRun()
        defer { run.remove() }
        let killed = try KillTests.kill(run, Fault(kind: kind, at: call))
        try run.finish(after: killed.map { [$0] } ?? [], "\(kind) at \(call)")
    }

    private func killSeveralTimes(seed: UInt64) throws {
        let run = try FaultRun()
        defer { run.remove() }
        try run.finish(after: KillTests.killAgainAndAgain(run, seed: seed, longest: 400), "kills of seed \(seed)")
    }

    private func interrupt(at call: Int) throws {
        let run = try FaultRun()
        defer { run.remove() }
        try run.finish(after: [InterruptTests.interrupt(run, at: call).outcome], "interrupt at \(call)")
    }

    private func breakDisk(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let run = try FullDiskTests.prepared()
        defer { run.remove() }
        var outcomes: [FaultRun.Outcome] = []
        for _ in 0..<4 {
            let kind: Fault.Kind = [.full, .io, .sync][Int.random(in: 0..<3, using: &generator)]
            let place = FullDiskTests.places[Int.random(in: 0..<FullDiskTests.places.count, using: &generator)]
            let fault = Fault(kind: kind, at: .random(in: 1...60, using: &generator), only: place)
            if let outcome = try FullDiskTests.fail(run, fault) { outcomes.append(outcome) }
        }
        try run.finish(after: outcomes, "disk faults of seed \(seed)")
    }
}
