import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

@Suite struct ExecutionTests {
    @Test func resultsAreTheSameBytesForAnyNumberOfWorkers() throws {
        var former: [String: Data]?
        for workers in 1...3 {
            let folder = try TemporaryFolder()
            try SamplePipeline().run(in: folder, workers: workers)
            let artefacts = try folder.contents(suffix: "artefact.safetensors")
                .merging(folder.contents(suffix: "artefact.json")) { first, _ in first }
            #expect(artefacts.count == 3)
            #expect(former == nil || former == artefacts)
            former = artefacts
        }
    }

    @Test func aSecondRunReusesEverything() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log)
        let first = try pipeline.run(in: folder)
        #expect(!first.isReused)
        #expect(log.computedShards == Array(0..<15))
        let second = try pipeline.run(in: folder)
        #expect(second.isReused)
        #expect(log.computedShards.count == 15)
        #expect(log.weightsMade.load(ordering: .relaxed) == 1)
        #expect(try first.artefact(pipeline.report) == second.artefact(pipeline.report))
        #expect(second.outcomes.map(\.status) == [.reused, .reused, .reused])
        #expect(try pipeline.statuses(in: folder) == [.done, .done, .done])
    }

    @Test func shardsAreRemovedAfterTheirReductionUnlessKept() throws {
        let folder = try TemporaryFolder()
        try SamplePipeline().run(in: folder, keepsShards: true)
        #expect(try folder.files().count { $0.contains("/shards/") } == 30)
        try SamplePipeline().run(in: folder)
        #expect(try folder.files().count { $0.contains("/shards/") } == 0)
    }

    @Test func workersOwnTheirScratchAndShareTheirInputs() throws {
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log) { _ in usleep(2000) }
        try pipeline.run(in: TemporaryFolder(), workers: 3)
        #expect(log.workers.load(ordering: .relaxed) == 3)
    }

    @Test func memoryLimitLeavesOutWorkers() throws {
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log) { _ in usleep(2000) }
        try pipeline.run(in: TemporaryFolder(), workers: 8, memoryLimit: 125)
        #expect(log.workers.load(ordering: .relaxed) == 2)

        let error = #expect(throws: PipelineError.self) {
            try pipeline.run(in: TemporaryFolder(), memoryLimit: 109)
        }
        guard case .memoryLimitTooSmall("sum (layer 1)", 110, 109) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aStepOverNoUnitsIsReducedFromNothing() throws {
        let pipeline = try SamplePipeline(units: 0)
        let folder = try TemporaryFolder()
        let sums = try withExtendedLifetime(folder) {
            try pipeline.run(in: folder).artefact(pipeline.sums)
        }
        #expect(sums == Sums([Float](repeating: 0, count: 16)))
    }

    @Test func progressOnlyGrowsAndEndsAtTheUnits() throws {
        let events = EventLog()
        try SamplePipeline().run(in: TemporaryFolder(), workers: 3, events: events)
        let progress = events.progress
        #expect(progress.map(\.shardsDone) == Array(1...15))
        #expect(progress.last?.unitsDone == 100)
        #expect(progress.last?.secondsLeft == 0)
        #expect(zip(progress, progress.dropFirst()).allSatisfy { $0.unitsDone < $1.unitsDone })
    }

    // MARK: Failure and interruption

    @Test func aFailedShardIsNamedAndTheOthersAreKept() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        let failing = try SamplePipeline(log: log) { if $0.index == 9 { throw ShardFailure() } }
        let error = #expect(throws: PipelineError.self) { try failing.run(in: folder, workers: 2) }
        guard case .shardFailed("sum (layer 1)", let shard, let cause) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(shard == Shard(index: 9, units: 63..<70))
        #expect(cause is ShardFailure)
        let kept = log.computedShards
        #expect(Array(kept.prefix(9)) == Array(0..<9))

        let status = try failing.statuses(in: folder)[1]
        #expect(status == .run(.incomplete(finishedShards: kept.count, of: 15)))

        let sums = try withExtendedLifetime(folder) {
            try SamplePipeline(log: log).run(in: folder).artefact(failing.sums)
        }
        #expect(log.computedShards == Array(0..<15))
        #expect(try sums == undisturbed())
    }

    @Test func anInterruptedRunContinuesWhereItStopped() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        for stop in [2, 5, 11] {
            let cancellation = Cancellation()
            let pipeline = try SamplePipeline(log: log) { shard in
                if shard.index == stop { cancellation.cancel() }
            }
            let error = #expect(throws: PipelineError.self) {
                try pipeline.run(in: folder, workers: 2, cancellation: cancellation)
            }
            guard case .interrupted = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        let pipeline = try SamplePipeline(log: log)
        let sums = try withExtendedLifetime(folder) {
            try pipeline.run(in: folder).artefact(pipeline.sums)
        }
        #expect(log.computedShards == Array(0..<15), "no shard was computed twice")
        #expect(try sums == undisturbed())
    }

    @Test func aFailedStepIsNamed() throws {
        var graph = Graph()
        try graph.add(
            Step<Report>(
                kind: "broken", label: "x", version: 1, work: .single { _ in throw ShardFailure() })
        )
        let folder = try TemporaryFolder()
        let results = try ResultsFolder(folder.url)
        let error = #expect(throws: PipelineError.self) { try Executor(graph, in: results).run() }
        guard case .stepFailed("broken (x)", let cause) = error, cause is ShardFailure else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func anUndeclaredInputIsRefused() throws {
        var graph = Graph()
        let first = try graph.add(
            Step(kind: "first", version: 1, work: .single { _ in Report(total: 1, text: "") }))
        try graph.add(
            Step(kind: "second", version: 1, work: .single { inputs in try inputs[first] }))
        let folder = try TemporaryFolder()
        let results = try ResultsFolder(folder.url)
        let error = #expect(throws: PipelineError.self) { try Executor(graph, in: results).run() }
        guard case .undeclaredInput("second", "first") = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    // MARK: Force

    @Test func forceComputesAStepAndWhatDependsOnIt() throws {
        let folder = try TemporaryFolder()
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log)
        try pipeline.run(in: folder)
        let force = Plan.Force.steps(["sum"])
        #expect(
            try pipeline.statuses(in: folder, force: force) == [
                .done, .run(.forced), .run(.forced),
            ])
        try pipeline.run(in: folder, force: force)
        #expect(log.weightsMade.load(ordering: .relaxed) == 1)
        #expect(log.computedShards.count == 30)
        #expect(log.reportsMade.load(ordering: .relaxed) == 2)
        try pipeline.run(in: folder, force: .everything)
        #expect(log.weightsMade.load(ordering: .relaxed) == 2)

        let error = #expect(throws: PipelineError.self) {
            try pipeline.run(in: folder, force: .steps(["sums"]))
        }
        guard case .unknownStep("sums", "sum", let kinds) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(kinds == ["report", "sum", "weights"])
    }

    private func undisturbed() throws -> Sums {
        let pipeline = try SamplePipeline()
        let folder = try TemporaryFolder()
        return try withExtendedLifetime(folder) {
            try pipeline.run(in: folder).artefact(pipeline.sums)
        }
    }
}
