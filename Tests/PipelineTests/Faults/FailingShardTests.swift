import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Shards that fail beside others that do not.
@Suite struct FailingShardTests {
    /// All workers are at work on shards that fail, but one: one error, that of the first shard, and what was in the
    /// making is finished and kept.
    @Test func severalFailuresAtOnceAreOneErrorAndTheOthersAreKept() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        let together = Barrier(4)
        let failing = try SamplePipeline(log: log) { shard in
            if shard.index < 4 { together.wait() }
            if [1, 2, 3].contains(shard.index) { throw ShardFailure() }
            // Still at work when the others have failed.
            if shard.index == 0 { usleep(50_000) }
        }
        let events = EventLog()
        let error = #expect(throws: PipelineError.self) { try failing.run(in: folder, workers: 4, events: events) }
        guard case .shardFailed("sum (layer 1)", let shard, let cause) = error, cause is ShardFailure else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(shard.index == 1)
        #expect(log.computedShards == [0])
        #expect(try failing.statuses(in: folder)[1] == .run(.incomplete(finishedShards: 1, of: 15)))
        #expect(log.reportsMade.load(ordering: .relaxed) == 0)

        try SamplePipeline(log: log).run(in: folder)
        #expect(log.computedShards == Array(0..<15), "a shard was computed twice")
    }

    /// Where threads wait for each other.
    private final class Barrier: Sendable {
        private let missing: Mutex<Int>

        init(_ count: Int) { missing = Mutex(count) }

        func wait() {
            missing.withLock { $0 -= 1 }
            while missing.withLock({ $0 > 0 }) { usleep(1000) }
        }
    }
}
