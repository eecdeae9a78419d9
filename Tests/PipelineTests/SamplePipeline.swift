import Foundation
import TestSupport
import Safetensors
import Synchronization

@testable import Pipeline

/// Sums of floats, whose last digit would show another order of additions.
struct Sums: Artefact, Equatable {
    var values: [Float]

    init(_ values: [Float]) {
        self.values = values
    }

    init(_ stored: StoredArtefact) throws {
        values = try stored.tensor("sums").floats()
    }

    func stored() throws -> StoredArtefact {
        .tensors(["sums": try StoredTensor(values, shape: [values.count])])
    }
}

struct Report: Artefact, Codable, Equatable {
    var total: Double
    var text: String
}

struct ShardFailure: Error, Equatable {}

/// Three steps: weights, a map that sums them over units, and a report.
struct SamplePipeline {
    var graph = Graph()
    let weights: StepHandle<Sums>
    let sums: StepHandle<Sums>
    let report: StepHandle<Report>

    /// What the steps did, over all runs with this log.
    final class Log: Sendable {
        let shards = Mutex<[Int]>([])
        let workers = Atomic(0)
        let weightsMade = Atomic(0)
        let reportsMade = Atomic(0)

        var computedShards: [Int] { shards.withLock { $0.sorted() } }
    }

    init(
        units: Int = 100, unitsPerShard: Int = 7, scale: Double = 1, version: Int = 1,
        model: String = "m1", log: Log = Log(),
        beforeShard: @escaping @Sendable (Shard) throws -> Void = { _ in }
    ) throws {
        let weights = try graph.add(
            Step(
                kind: "weights", version: version, parameters: ["scale": .number(scale)],
                digests: ["model": model],
                work: .single { _ in
                    log.weightsMade.add(1, ordering: .relaxed)
                    return Sums((0..<16).map { Float(scale) / Float($0 + 1) })
                }))
        let sums = try graph.add(
            Step(
                kind: "sum", label: "layer 1", version: 1, inputs: [weights.erased],
                memory: MemoryEstimate(shared: 100, perWorker: 10),
                work: .map(
                    units: units, unitsPerShard: unitsPerShard,
                    makeWorker: { inputs in
                        log.workers.add(1, ordering: .relaxed)
                        let weights = try inputs[weights].values
                        var scratch = [Float](repeating: 0, count: weights.count)
                        return { shard in
                            try beforeShard(shard)
                            log.shards.withLock { $0.append(shard.index) }
                            for index in scratch.indices { scratch[index] = 0 }
                            for unit in shard.units {
                                for (index, weight) in weights.enumerated() {
                                    scratch[index] += weight / Float(unit + 3)
                                }
                            }
                            return Sums(scratch)
                        }
                    },
                    reduce: { _, shards in
                        var total = [Float](repeating: 0, count: 16)
                        try shards.forEach { _, part in
                            for (index, value) in part.values.enumerated() { total[index] += value }
                        }
                        return Sums(total)
                    })))
        report = try graph.add(
            Step(
                kind: "report", version: 1, inputs: [sums.erased],
                work: .single { inputs in
                    log.reportsMade.add(1, ordering: .relaxed)
                    let values = try inputs[sums].values
                    return Report(total: Double(values.reduce(0, +)), text: "\(values.count) sums")
                }))
        self.weights = weights
        self.sums = sums
    }

    @discardableResult
    func run(
        in folder: TemporaryFolder, workers: Int = 2, force: Plan.Force = .nothing,
        memoryLimit: Int? = nil, keepsShards: Bool = false,
        cancellation: Cancellation = Cancellation(), events: EventLog = EventLog()
    ) throws -> ExecutionResult {
        let results = try ResultsFolder(folder.url, lockTimeout: .zero)
        return try Executor(
            graph, in: results,
            options: .init(
                workers: workers, memoryLimit: memoryLimit, force: force, keepsShards: keepsShards),
            cancellation: cancellation
        ) { events.add($0) }.run()
    }

    func statuses(in folder: TemporaryFolder, force: Plan.Force = .nothing) throws -> [StepStatus] {
        try Plan(graph, store: ArtefactStore(results: folder.url), force: force).entries.map(
            \.status)
    }
}

/// The events of a run.
final class EventLog: Sendable {
    private let events = Mutex<[ExecutionEvent]>([])

    func add(_ event: ExecutionEvent) {
        events.withLock { $0.append(event) }
    }

    var all: [ExecutionEvent] { events.withLock { $0 } }

    var warnings: [DamagedFile] {
        all.compactMap { if case .removedDamaged(let file, _) = $0 { file } else { nil } }
    }

    var progress: [StepProgress] {
        all.compactMap { if case .progress(let progress) = $0 { progress } else { nil } }
    }
}
