import Foundation
import Results
import Testing

/// A clock that is wrong or jumps, and files whose dates say nothing: nothing is computed again for it.
@Suite(.enabled(if: FaultInjection.isPossible, "needs clang"))
struct ClockTests {
    static let year = 365 * 86_400

    private func yearOfStart(_ run: FaultRun) throws -> Int? {
        let database = try ResultsDatabase(readingFrom: run.database)
        return try database.runs(of: "mean-ablation").first.flatMap { Int($0.startedAt.prefix(4)) }
    }

    @Test(arguments: [year, -year]) func aClockThatIsAYearOffChangesNothing(shift: Int) throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        let shifted = try run.run(clock: shift)
        #expect(shifted.status == 0, "\(shifted.errors)")
        #expect(shifted.text.contains("Nothing to compute"), "\(shifted.text)")
        // So that the shift is known to have happened.
        let year = Calendar(identifier: .iso8601).component(.year, from: Date.now.addingTimeInterval(Double(shift)))
        #expect(try yearOfStart(run) == year)
        try run.finish(after: [shifted])
    }

    @Test(arguments: [year, -year]) func aClockThatJumpsDuringARunChangesNothing(shift: Int) throws {
        let run = try KillTests.prepared()
        defer { run.remove() }
        let jumped = try run.run(Fault(kind: .clock, at: 4, only: "/shards/"), clock: shift)
        #expect(jumped.status == 0 && jumped.log.injected != nil, "\(jumped.errors)")
        let database = try ResultsDatabase(readingFrom: run.database)
        let stored = try #require(try database.runs(of: "mean-ablation").first)
        #expect((stored.seconds ?? -1) >= 0 && (stored.seconds ?? .infinity) < 3600)
        #expect(try database.steps(of: stored.id).allSatisfy { (0..<3600).contains($0.seconds) })
        #expect(stored.startedAt.prefix(4) != stored.endedAt?.prefix(4), "the clock did not jump")
        try run.finish(after: [jumped])
    }

    /// Outputs that look older than their inputs, and inputs that look newer than everything.
    @Test func datesOfFilesPlayNoPart() throws {
        let run = try FaultRun(after: FaultRun.undisturbed.get().run)
        defer { run.remove() }
        for (index, path) in try run.files().sorted().enumerated() {
            try FileManager.default.setAttributes(
                [
                    .modificationDate: index.isMultiple(of: 2)
                        ? Date(timeIntervalSince1970: 0) : Date.now.addingTimeInterval(1e8)
                ],
                ofItemAtPath: run.results.appendingPathComponent(path).path)
        }
        let again = try run.run()
        #expect(again.text.contains("Nothing to compute"), "\(again.text)")
        try run.finish(after: [again])
    }
}
