import Dispatch
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// Steps that are computed by other processes than the one that holds the folder.
@Suite struct StepTaskTests {
    /// Does with tasks what a cluster would, within this process.
    final class Tasks: StepSite {
        let pipeline: SamplePipeline
        let results: URL
        let shardsPerTask: Int
        /// Names of the steps that are done, in the order in which the site was told.
        let forgotten = Mutex<[String]>([])
        /// Called after each task.
        let afterTask: @Sendable (PendingStep) throws -> Void

        init(
            _ pipeline: SamplePipeline, _ results: URL, shardsPerTask: Int = 4,
            afterTask: @escaping @Sendable (PendingStep) throws -> Void = { _ in }
        ) {
            (self.pipeline, self.results, self.shardsPerTask, self.afterTask) = (
                pipeline, results, shardsPerTask, afterTask
            )
        }

        func complete(_ step: PendingStep) throws {
            var standing = try step.verify()
            while !standing.isComplete {
                let task = try StepTask(pipeline.graph, step: step.key.digest, results: results)
                for first in stride(from: 0, to: step.sharding?.shardCount ?? 0, by: shardsPerTask) {
                    try task.computeShards(first...(first + shardsPerTask - 1), workers: 2)
                    try afterTask(step)
                }
                _ = try task.finish()
                standing = try step.verify()
            }
        }

        func forget(_ step: PendingStep) { forgotten.withLock { $0.append(step.name) } }
    }

    private func run(
        _ pipeline: SamplePipeline, _ folder: TemporaryFolder, _ site: any StepSite, events: EventLog = EventLog()
    ) throws -> ExecutionResult {
        var options = Executor.Options()
        options.site = site
        return try Executor(pipeline.graph, in: ResultsFolder(folder.url, lockTimeout: .zero), options: options) {
            events.add($0)
        }.run()
    }

    private func artefacts(in folder: TemporaryFolder) throws -> [String: Data] {
        try folder.contents(suffix: "artefact.safetensors").merging(folder.contents(suffix: "artefact.json")) {
            first, _ in first
        }
    }

    @Test func tasksGiveTheBytesOfARunInOneProcess() throws {
        let (here, there) = (try TemporaryFolder(), try TemporaryFolder())
        try SamplePipeline().run(in: here)
        let log = SamplePipeline.Log()
        let pipeline = try SamplePipeline(log: log)
        let result = try run(pipeline, there, Tasks(pipeline, there.url))
        #expect(try artefacts(in: here) == artefacts(in: there))
        #expect(result.outcomes.map(\.status) == [.computed, .computed, .computed])
        #expect(result.outcomes.map(\.shardsComputed) == [0, 15, 0])
        #expect(log.computedShards == Array(0..<15))
        #expect(try !there.files().contains { $0.contains("/shards/") })
        #expect(try pipeline.run(in: there).isReused)
    }

    @Test func aShardThatVanishesOrIsDamagedIsComputedAgain() throws {
        let folder = try TemporaryFolder()
        let isDue = Atomic(true)
        let pipeline = try SamplePipeline()
        let events = EventLog()
        _ = try run(
            pipeline, folder,
            Tasks(pipeline, folder.url) { step in
                let shards = folder.url.appendingPathComponent("cache/sum/\(step.key.digest)/shards")
                guard step.kind == "sum",
                    FileManager.default.fileExists(atPath: shards.appendingPathComponent("000011.safetensors").path),
                    isDue.exchange(false, ordering: .relaxed)
                else { return }
                try Data("damage".utf8).write(to: shards.appendingPathComponent("000002.safetensors"))
                try FileManager.default.removeItem(at: shards.appendingPathComponent("000005.manifest.json"))
            }, events: events)
        let here = try TemporaryFolder()
        try SamplePipeline().run(in: here)
        #expect(try artefacts(in: here) == artefacts(in: folder))
        #expect(events.warnings.count == 1)
    }

    @Test func aSiteThatOnlySaysItIsDoneIsNotBelieved() throws {
        struct Liar: StepSite {
            func complete(_ step: PendingStep) {}
            func forget(_ step: PendingStep) { Issue.record("\(step.name) is not done") }
        }
        let pipeline = try SamplePipeline()
        let folder = try TemporaryFolder()
        let error = #expect(throws: PipelineError.self) { try run(pipeline, folder, Liar()) }
        guard case .notComputed("weights", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func theSiteIsToldOfEveryStepThatIsDoneAlsoOfOneThatItDidNotCompute() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        _ = try ResultsFolder(folder.url)
        // A submitter was killed, and the jobs went on.
        _ = try StepTask(pipeline.graph, step: pipeline.weights.key.digest, results: folder.url).finish()
        for _ in 0..<2 {
            let site = Tasks(pipeline, folder.url)
            _ = try run(pipeline, folder, site)
            #expect(site.forgotten.withLock { $0 } == ["weights", "sum (layer 1)", "report"])
        }
    }

    @Test func manyCopiesOfOneTaskAtOnceAreHarmless() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        let results = try ResultsFolder(folder.url, lockTimeout: .zero)
        let weights = try StepTask(pipeline.graph, step: pipeline.weights.key.digest, results: folder.url)
        #expect(try weights.finish() == [])
        let step = pipeline.sums.key.digest
        DispatchQueue.concurrentPerform(iterations: 6) { _ in
            do {
                let task = try StepTask(pipeline.graph, step: step, results: folder.url)
                try task.computeShards(0...20, workers: 2)
                _ = try task.finish()
            } catch {
                Issue.record(error)
            }
        }
        let here = try TemporaryFolder()
        try SamplePipeline().run(in: here)
        _ = try Executor(pipeline.graph, in: results).run()
        #expect(try artefacts(in: here) == artefacts(in: folder))
    }

    @Test func theEndOfAStepSaysWhichShardsAreMissing() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        let results = try ResultsFolder(folder.url)
        #expect(try StepTask(pipeline.graph, step: pipeline.weights.key.digest, results: folder.url).finish() == [])
        let task = try StepTask(pipeline.graph, step: pipeline.sums.key.digest, results: folder.url)
        try task.computeShards(3...100, workers: 1)
        #expect(try task.finish() == [0, 1, 2])
        #expect(results.store.glance(at: pipeline.graph).map(\.shardsDone) == [0, 12, 0])
        #expect(results.store.glance(at: pipeline.graph).map(\.isDone) == [true, false, false])
        try task.computeShards(0...2, workers: 1)
        #expect(try task.finish() == [])
        #expect(results.store.glance(at: pipeline.graph).map(\.shardsDone) == [0, 15, 0])
    }

    @Test func aStepThatTheSpecHasNoMoreIsRefused() throws {
        let folder = try TemporaryFolder()
        _ = try ResultsFolder(folder.url)
        let former = try SamplePipeline(scale: 2).sums.key.digest
        let error = #expect(throws: PipelineError.self) {
            try StepTask(SamplePipeline().graph, step: former, results: folder.url)
        }
        guard case .stepNotInGraph(former) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func incompleteFilesStayWhileATaskIsAtWork() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        _ = try ResultsFolder(folder.url)
        let file = folder.url.appendingPathComponent("cache/.clip-lens-0a0b0c0d-123-456-0k-1.part")
        do {
            let task = try StepTask(pipeline.graph, step: pipeline.weights.key.digest, results: folder.url)
            try Data("half".utf8).write(to: file)
            _ = try ResultsFolder(folder.url)
            #expect(FileManager.default.fileExists(atPath: file.path))
            withExtendedLifetime(task) {}
        }
        _ = try ResultsFolder(folder.url)
        #expect(!FileManager.default.fileExists(atPath: file.path))
    }
}
