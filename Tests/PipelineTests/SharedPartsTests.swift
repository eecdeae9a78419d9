import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

@Suite struct SharedPartsTests {
    /// Tells when it is gone.
    final class Part: Sendable {
        let index: Int
        private let living: Counter

        init(_ index: Int, _ living: Counter) {
            self.index = index
            self.living = living
            living.count.add(1, ordering: .sequentiallyConsistent)
        }

        deinit { living.count.subtract(1, ordering: .sequentiallyConsistent) }
    }

    final class Counter: Sendable {
        let count = Atomic(0)
        var value: Int { count.load(ordering: .sequentiallyConsistent) }
    }

    struct Seen: Artefact, Codable, Equatable {
        var indices: [Int]
        var living: Int
    }

    private func graph(_ parts: SharedParts<Part>, living: Counter) throws -> (Graph, StepHandle<Seen>) {
        var graph = Graph()
        let step = try graph.add(
            Step(
                kind: "seen", version: 1,
                work: .map(
                    units: 6, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let parts = try inputs.parts(parts)
                        return { _ in Seen(indices: parts.map(\.index), living: living.value) }
                    },
                    reduce: { inputs, shards in
                        var all = Seen(indices: try inputs.parts(parts).map(\.index), living: living.value)
                        try shards.forEach { _, part in
                            all.living = max(all.living, part.living)
                            if part.indices != all.indices { all.indices = [] }
                        }
                        return all
                    })))
        return (graph, step)
    }

    @Test func workersMakeEachPartOnceAndTheStepLetsThemGo() throws {
        let folder = try TemporaryFolder()
        let (made, living) = (Counter(), Counter())
        let parts = SharedParts(5) { _, index in
            made.count.add(1, ordering: .sequentiallyConsistent)
            Thread.sleep(forTimeInterval: 0.01)
            return Part(index, living)
        }
        let (graph, step) = try graph(parts, living: living)
        let seen = try Executor(graph, in: try ResultsFolder(folder.url), options: .init(workers: 3)).run().artefact(
            step)
        #expect(seen == Seen(indices: [0, 1, 2, 3, 4], living: 5))
        #expect(made.value == 5)
        #expect(living.value == 0, "the parts outlived their step")

        // Another run of the step makes its own.
        try Executor(graph, in: try ResultsFolder(folder.url), options: .init(workers: 2, force: .everything)).run()
        #expect(made.value == 10)
    }

    @Test func aPartThatFailsFailsTheStep() throws {
        let folder = try TemporaryFolder()
        let living = Counter()
        let parts = SharedParts(4) { _, index in
            if index == 2 { throw ShardFailure() }
            return Part(index, living)
        }
        let (graph, _) = try graph(parts, living: living)
        #expect(throws: PipelineError.self) {
            try Executor(graph, in: try ResultsFolder(folder.url), options: .init(workers: 3)).run()
        }
        #expect(living.value == 0, "the parts outlived their step")
    }
}
