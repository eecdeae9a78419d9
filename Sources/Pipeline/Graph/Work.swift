/// What a step does, made by `Work.single` or `Work.map`.
public struct Work<Output: Artefact>: Sendable {
    let erased: ErasedWork

    /// Work that is done in one piece.
    public static func single(_ body: @escaping @Sendable (StepInputs) throws -> Output) -> Work {
        Work(erased: .single { try body($0).stored() })
    }

    /// Work over many units: each shard is computed and stored by itself, on whichever worker is
    /// free, and the stored shards are then reduced in their order. The result therefore depends
    /// neither on timing nor on the number of workers nor on an interruption.
    ///
    /// ```swift
    /// work: .map(
    ///     units: images.count, unitsPerShard: 64,
    ///     makeWorker: { inputs in
    ///         let model = try inputs[model]
    ///         var scratch = Scratch(model)          // one worker's own
    ///         return { shard in try embed(images[shard.units], model, &scratch) }
    ///     },
    ///     reduce: { inputs, shards in
    ///         var mean = RunningMean()
    ///         try shards.forEach { _, embeddings in mean.add(embeddings) }
    ///         return mean
    ///     })
    /// ```
    /// - Parameters:
    ///   - units: how many units there are, counted from 0.
    ///   - makeWorker: called once on each worker, whose scratch memory the returned closure owns.
    ///   - reduce: gets the shards' results one at a time, so that memory does not grow with them.
    /// - Throws: `PipelineError.invalidSharding` unless `units` ≥ 0 and `unitsPerShard` ≥ 1.
    public static func map<Part: Artefact>(
        units: Int, unitsPerShard: Int,
        makeWorker: @escaping @Sendable (StepInputs) throws -> ((Shard) throws -> Part),
        reduce: @escaping @Sendable (StepInputs, ShardOutputs<Part>) throws -> Output
    ) throws -> Work {
        guard let sharding = Sharding(units: units, unitsPerShard: unitsPerShard) else {
            throw PipelineError.invalidSharding(units: units, unitsPerShard: unitsPerShard)
        }
        return Work(
            erased: .map(
                sharding,
                makeWorker: { inputs in
                    let worker = try makeWorker(inputs)
                    return { try worker($0).stored() }
                },
                reduce: { inputs, load in
                    try reduce(inputs, ShardOutputs(sharding: sharding, load: load)).stored()
                }))
    }
}

extension Work {
    /// Work over many units whose results stay apart: nothing is joined, and whoever needs the result
    /// reads the shards that he needs. For what would not fit into memory as a whole.
    ///
    /// - Parameter check: sees the finished shards before the step counts as done.
    /// - Throws: `PipelineError.invalidSharding` unless `units` ≥ 0 and `unitsPerShard` ≥ 1.
    public static func shards<Part: Artefact>(
        units: Int, unitsPerShard: Int,
        makeWorker: @escaping @Sendable (StepInputs) throws -> ((Shard) throws -> Part),
        check: @escaping @Sendable (Output) throws -> Void = { _ in }
    ) throws -> Work where Output == Shards<Part> {
        guard let sharding = Sharding(units: units, unitsPerShard: unitsPerShard) else {
            throw PipelineError.invalidSharding(units: units, unitsPerShard: unitsPerShard)
        }
        return Work(
            erased: .shards(
                sharding,
                makeWorker: { inputs in
                    let worker = try makeWorker(inputs)
                    return { try worker($0).stored() }
                },
                check: { try check(Output(.shards($0))) }))
    }
}

/// The results of a step's shards, in the order of the shards.
public struct ShardOutputs<Part: Artefact> {
    let sharding: Sharding
    let load: (Shard) throws -> StoredArtefact

    public var count: Int { sharding.shardCount }

    /// Calls `body` with each shard's result; one is in memory at a time.
    /// - Throws: `PipelineError.damaged`, and what `body` throws.
    public func forEach(_ body: (Shard, Part) throws -> Void) throws {
        for index in 0..<count {
            let shard = sharding.shard(index)
            try body(shard, Part(load(shard)))
        }
    }
}

/// Work without the types of its results, as the executor sees it.
enum ErasedWork: Sendable {
    case single(@Sendable (StepInputs) throws -> StoredArtefact)
    case map(
        Sharding,
        makeWorker: @Sendable (StepInputs) throws -> ((Shard) throws -> StoredArtefact),
        reduce:
            @Sendable (StepInputs, @escaping (Shard) throws -> StoredArtefact) throws ->
            StoredArtefact)
    case shards(
        Sharding,
        makeWorker: @Sendable (StepInputs) throws -> ((Shard) throws -> StoredArtefact),
        check: @Sendable (StoredShards) throws -> Void)

    var sharding: Sharding? {
        switch self {
        case .single: nil
        case .map(let sharding, _, _), .shards(let sharding, _, _): sharding
        }
    }

    /// Whether the shards are the result and stay.
    var keepsShards: Bool {
        if case .shards = self { true } else { false }
    }
}
