import Dispatch
import Synchronization

/// The result of a step made by `Work.shards`: its shards, each read from its file when it is asked for.
///
/// Tensors of a shard stay in the mapped file, so memory does not grow with the number of shards.
public struct Shards<Part: Artefact>: Artefact {
    private let files: StoredShards

    public init(_ stored: StoredArtefact) throws {
        guard case .shards(let files) = stored else {
            throw PipelineError.wrongArtefactForm(wanted: "shards")
        }
        self.files = files
    }

    public func stored() throws -> StoredArtefact { .shards(files) }

    public var sharding: Sharding { files.sharding }
    public var count: Int { files.sharding.shardCount }

    /// The result of a shard.
    /// - Throws: `PipelineError.damaged`, and what reading the result throws.
    public subscript(_ index: Int) -> Part {
        get throws { try Part(files.read(files.sharding.shard(index))) }
    }

    /// Calls `body` with each shard and the units that it holds, in their order.
    /// - Throws: as the subscript, and what `body` throws.
    public func forEach(_ body: (Part, Range<Int>) throws -> Void) throws {
        for index in 0..<count { try body(self[index], sharding.shard(index).units) }
    }
}

/// The shards of a step in the store.
public struct StoredShards: Sendable {
    let sharding: Sharding
    let read: @Sendable (Shard) throws -> StoredArtefact
}

/// How the units of a step (its images) are cut into shards: runs of units of the same length, but
/// for the last.
public struct Sharding: Hashable, Sendable, Codable {
    public let units: Int
    public let unitsPerShard: Int

    /// Nil unless `units` ≥ 0 and `unitsPerShard` ≥ 1.
    public init?(units: Int, unitsPerShard: Int) {
        guard units >= 0, unitsPerShard >= 1 else { return nil }
        self.units = units
        self.unitsPerShard = unitsPerShard
    }

    public var shardCount: Int {
        units / unitsPerShard + (units.isMultiple(of: unitsPerShard) ? 0 : 1)
    }

    /// The index of the shard that holds a unit.
    public func shardIndex(of unit: Int) -> Int { unit / unitsPerShard }

    /// The shard of an index from 0 to `shardCount - 1`.
    public func shard(_ index: Int) -> Shard {
        let start = index * unitsPerShard
        return Shard(index: index, units: start..<start + min(unitsPerShard, units - start))
    }
}

/// One run of units of a step.
public struct Shard: Hashable, Sendable {
    public let index: Int
    /// The units of the shard, counted over the whole step.
    public let units: Range<Int>
}

/// What all workers of a step need and make together, such as a table for each layer of a model.
///
/// A worker that asks makes parts until none is left to take, waits for those that others are making, and
/// gets all of them. They last as long as the step is at work, its reduction included: the memory of one
/// step is free before the next begins.
///
/// ```swift
/// let tables = SharedParts(layers.count) { inputs, index in try Table(layers[index], inputs[means]) }
/// …
/// makeWorker: { inputs in
///     let tables = try inputs.parts(tables)
/// ```
public final class SharedParts<Part: Sendable>: Sendable {
    public let count: Int
    let make: @Sendable (StepInputs, Int) throws -> Part

    /// - Parameter make: makes a part; called once for each index in a run of the step, on any worker.
    public init(_ count: Int, _ make: @escaping @Sendable (StepInputs, Int) throws -> Part) {
        precondition(count >= 0)
        self.count = count
        self.make = make
    }
}

/// The parts of one run of a step.
final class PartsInTheMaking<Part: Sendable>: Sendable {
    private let parts: SharedParts<Part>
    private let next = Atomic(0)
    private let made: Mutex<[Result<Part, any Error>?]>
    private let group = DispatchGroup()

    init(_ parts: SharedParts<Part>) {
        self.parts = parts
        made = Mutex([Result<Part, any Error>?](repeating: nil, count: parts.count))
        for _ in 0..<parts.count { group.enter() }
    }

    /// Makes what nobody has taken yet.
    /// - Throws: what making the first part that failed threw.
    func finish(_ inputs: StepInputs) throws -> [Part] {
        while true {
            let (index, _) = next.add(1, ordering: .relaxed)
            guard index < parts.count else { break }
            let part = Result { try parts.make(inputs, index) }
            made.withLock { $0[index] = part }
            group.leave()
        }
        group.wait()
        return try made.withLock { made in try made.compactMap { try $0?.get() } }
    }
}
