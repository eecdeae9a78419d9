import Foundation
import TestSupport
import Testing

@testable import Pipeline

/// Steps whose shards are their result.
@Suite struct ShardsTests {
    /// Squares of units, kept apart, and the sum of some of them.
    struct Squares {
        var graph = Graph()
        let squares: StepHandle<Shards<Sums>>
        let total: StepHandle<Report>

        init(units: Int = 20, log: SamplePipeline.Log = .init(), fails: Bool = false) throws {
            let squares = try graph.add(
                Step(
                    kind: "squares", version: 1,
                    work: .shards(
                        units: units, unitsPerShard: 6,
                        makeWorker: { _ in
                            { shard in
                                log.shards.withLock { $0.append(shard.index) }
                                return Sums(shard.units.map { Float($0 * $0) })
                            }
                        },
                        check: { _ in if fails { throw ShardFailure() } })))
            total = try graph.add(
                Step(
                    kind: "total", version: 1, inputs: [squares.erased],
                    work: .single { inputs in
                        let squares = try inputs[squares]
                        var total = Float(0)
                        try squares.forEach { part, units in
                            for unit in units.clamped(to: 4..<15) { total += part.values[unit - units.lowerBound] }
                        }
                        return Report(total: Double(total), text: "\(squares.count) shards")
                    }))
            self.squares = squares
        }

        @discardableResult
        func run(in folder: TemporaryFolder, events: EventLog = EventLog()) throws -> ExecutionResult {
            try Executor(graph, in: ResultsFolder(folder.url, lockTimeout: .zero), options: .init(workers: 2)) {
                events.add($0)
            }.run()
        }

        func statuses(in folder: TemporaryFolder) throws -> [StepStatus] {
            try Plan(graph, store: ArtefactStore(results: folder.url)).entries.map(\.status)
        }
    }

    @Test func shardsStayAndAreReadApart() throws {
        let (folder, log) = (try TemporaryFolder(), SamplePipeline.Log())
        let pipeline = try Squares(log: log)
        let result = try pipeline.run(in: folder)
        #expect(
            try result.artefact(pipeline.total)
                == Report(total: Double((4..<15).reduce(0) { $0 + $1 * $1 }), text: "4 shards"))
        #expect(try result.artefact(pipeline.squares)[3] == Sums([324, 361]))
        #expect(try folder.files().count { $0.contains("/shards/") } == 8)
        #expect(try pipeline.run(in: folder).isReused)
        #expect(log.computedShards == [0, 1, 2, 3])
        #expect(try folder.files().count { $0.contains("/shards/") } == 8)
    }

    @Test func aDamagedShardIsComputedAgainAndNoOther() throws {
        let (folder, log, events) = (try TemporaryFolder(), SamplePipeline.Log(), EventLog())
        let pipeline = try Squares(log: log)
        try pipeline.run(in: folder)
        let path = try #require(try folder.files().first { $0.hasSuffix("shards/000002.safetensors") })
        let url = folder.url.appendingPathComponent(path)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: url)
        // Nothing that is to be computed asks for it, but what is there must be right.
        #expect(try pipeline.statuses(in: folder) == [.notNeeded, .done])
        let cache = try #require(
            try folder.files().first { $0.contains("total/") }.map { folder.url.appendingPathComponent($0) })
        try FileManager.default.removeItem(at: cache.deletingLastPathComponent())
        let again = try pipeline.run(in: folder, events: events)
        #expect(log.computedShards == [0, 1, 2, 2, 3])
        #expect(events.warnings.map(\.path) == [url.path])
        #expect(try again.artefact(pipeline.squares)[2] == Sums([144, 169, 196, 225, 256, 289]))
    }

    @Test func aMissingShardIsComputedAgain() throws {
        let (folder, log) = (try TemporaryFolder(), SamplePipeline.Log())
        try Squares(log: log).run(in: folder)
        for path in try folder.files() where path.contains("shards/000001") || path.contains("total/") {
            try FileManager.default.removeItem(at: folder.url.appendingPathComponent(path))
        }
        #expect(
            try Squares(log: log).statuses(in: folder) == [.run(.incomplete(finishedShards: 3, of: 4)), .run(.missing)])
        try Squares(log: log).run(in: folder)
        #expect(log.computedShards == [0, 1, 1, 2, 3])
    }

    @Test func whatFailsItsCheckIsNoResult() throws {
        let (folder, log) = (try TemporaryFolder(), SamplePipeline.Log())
        #expect(throws: PipelineError.self) { try Squares(log: log, fails: true).run(in: folder) }
        #expect(try Squares(log: log).statuses(in: folder).first == .run(.incomplete(finishedShards: 4, of: 4)))
        // The shards themselves were kept.
        try Squares(log: log).run(in: folder)
        #expect(log.computedShards == [0, 1, 2, 3])
    }

    @Test func noUnitsAreNoShards() throws {
        let folder = try TemporaryFolder()
        let pipeline = try Squares(units: 0)
        #expect(try pipeline.run(in: folder).artefact(pipeline.total) == Report(total: 0, text: "0 shards"))
    }
}
