import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

@Suite struct TimeEstimateTests {
    /// Counts how often it was measured.
    final class Work: Workload {
        let name: String
        let measured = Mutex<[Int]>([])

        init(_ name: String = "products") { self.name = name }

        func measureSpeed(workers: Int) -> Double {
            measured.withLock { $0.append(workers) }
            return workers == 1 ? 100 : 80
        }
    }

    let machine = Calibration.Machine(host: "h", cpu: "c", kernels: "k", workers: 2)
    var calibration: Calibration { Calibration(machine, speeds: ["products": .init(alone: 100, together: 80)]) }

    @Test func timeIsThatOfTheWorkerWithTheMostShards() throws {
        let cost = CostEstimate(Work(), fixed: 1600, perUnit: 40)
        func seconds(_ units: Int, perShard: Int, workers: Int) throws -> Double {
            let sharding = try #require(Sharding(units: units, unitsPerShard: perShard))
            return try #require(cost.seconds(units: units, of: sharding, workers: workers, calibration))
        }
        // Ten shards of 10 on two workers, five each: (1600 / 2 + 50 · 40) / 80.
        #expect(try seconds(100, perShard: 10, workers: 2) == 35)
        // Three shards on two workers: one of them has two.
        #expect(try seconds(30, perShard: 10, workers: 2) == 20)
        // One shard leaves the other worker idle, so that the first is as fast as alone.
        #expect(try seconds(10, perShard: 10, workers: 2) == 20)
        #expect(try seconds(100, perShard: 10, workers: 1) == 56)
        // A step in one piece.
        #expect(cost.seconds(units: 0, of: nil, workers: 2, calibration) == 16.4)
        #expect(CostEstimate(Work("other"), perUnit: 1).seconds(units: 1, of: nil, workers: 1, calibration) == nil)
    }

    @Test func onlyUnknownWorkloadsAreMeasured() throws {
        let (known, new) = (Work(), Work("more"))
        var calibration = calibration
        try calibration.measure([known, new, new])
        #expect(known.measured.withLock { $0 }.isEmpty)
        #expect(new.measured.withLock { $0 } == [1, 2])
        #expect(calibration.speeds["more"] == .init(alone: 100, together: 80))
    }

    @Test func measuringEndsWithTheRun() throws {
        let cancellation = Cancellation()
        cancellation.cancel()
        let new = Work("more")
        var calibration = calibration
        #expect(throws: PipelineError.self) { try calibration.measure([new], cancellation: cancellation) }
        #expect(new.measured.withLock { $0 }.isEmpty)
    }

    /// What the machine has bounds the workers, but refuses nothing; a limit that was asked for does.
    @Test func workersAreBoundedByMemory() throws {
        let folder = try TemporaryFolder()
        let pipeline = try SamplePipeline()
        let node = try #require(pipeline.graph.nodes.first { $0.memory != nil })
        func workers(limit: Int? = nil, machine: Int? = nil) throws -> Int {
            var options = Executor.Options(workers: 500, memoryLimit: limit)
            options.machineMemory = machine
            return try Executor(pipeline.graph, in: ResultsFolder(folder.url), options: options).workers(for: node)
        }
        // 100 bytes shared, 10 a worker.
        #expect(try workers() == 500)
        #expect(try workers(machine: 150) == 5 && workers(limit: 150) == 5)
        #expect(try workers(machine: 50) == 1 && workers(limit: 50) == 0)
        #expect(try workers(limit: 200, machine: 50) == 10)
    }

    @Test func anotherMachineIsMeasuredAgain() throws {
        let folder = try TemporaryFolder()
        let store = try ResultsFolder(folder.url).store
        #expect(store.calibration(of: machine).speeds.isEmpty)
        try store.save(calibration)
        #expect(store.calibration(of: machine) == calibration)
        for change: (inout Calibration.Machine) -> Void in [
            { $0.host = "x" }, { $0.cpu = "x" }, { $0.kernels = "x" }, { $0.workers = 3 },
        ] {
            var other = machine
            change(&other)
            #expect(store.calibration(of: other) == Calibration(other))
        }
        try Data("{".utf8).write(to: folder.url.appendingPathComponent("cache/calibration.json"))
        #expect(store.calibration(of: machine) == Calibration(machine))
    }

    /// A step that takes a hundredth of a second a unit.
    private func graph(units: Int, seed: Int = 0, counted: Bool = true) throws -> Graph {
        var graph = Graph()
        try graph.add(
            Step<Sums>(
                kind: "slow", version: 1, parameters: ["seed": .integer(seed)],
                cost: counted ? CostEstimate(Work(), perUnit: 0.5) : nil,
                work: .map(
                    units: units, unitsPerShard: 1,
                    makeWorker: { _ in
                        { _ in
                            Thread.sleep(forTimeInterval: 0.01)
                            return Sums([1])
                        }
                    }, reduce: { _, _ in Sums([1]) })))
        return graph
    }

    private func time(_ graph: Graph, _ folder: TemporaryFolder, _ calibration: Calibration) throws -> TimeEstimate {
        let plan = try Plan(graph, store: ArtefactStore(results: folder.url))
        return TimeEstimate([plan, plan], workers: 1, calibration)
    }

    @Test func estimatesLearnFromHowStepsOfTheKindTurnedOut() throws {
        let folder = try TemporaryFolder()
        let first = try graph(units: 10)
        // By operations: 10 units of 0.5 at 100 a second. The second plan has the same step.
        let before = try time(first, folder, calibration)
        #expect(abs(before.seconds - 0.05) < 1e-9 && before.unknownSteps == 0)
        let options = Executor.Options(workers: 1, calibration: calibration)
        try Executor(first, in: ResultsFolder(folder.url), options: options).run()
        #expect(try time(first, folder, calibration).seconds == 0)

        // It took at least twice as long.
        let learned = try time(graph(units: 20, seed: 1), folder, calibration).seconds
        #expect(learned >= 0.2, "\(learned)")
        // A step whose operations nobody counted, or whose speed nobody measured: by the seconds of a unit.
        let uncounted = try time(graph(units: 20, seed: 1, counted: false), folder, calibration).seconds
        let unmeasured = try time(graph(units: 20, seed: 1), folder, Calibration(machine)).seconds
        #expect(uncounted >= 0.2 && abs(uncounted - unmeasured) < 1e-9, "\(uncounted) \(unmeasured)")
    }

    @Test func whatNobodyTimedIsSaid() throws {
        let folder = try TemporaryFolder()
        let estimate = try time(graph(units: 10, counted: false), folder, calibration)
        #expect(estimate.seconds == 0 && estimate.unknownSteps == 1)
    }

    @Test func estimatesChangeNoKey() throws {
        let (with, without) = (try graph(units: 3), try graph(units: 3, counted: false))
        #expect(with.nodes.map(\.key) == without.nodes.map(\.key))
    }
}
