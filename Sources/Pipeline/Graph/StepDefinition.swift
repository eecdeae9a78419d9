/// A step as a value: what its result depends on are its properties, and what a graph is told of it follows from them.
///
/// The same value is added to a graph, or computes its result here and now from artefacts that are at hand:
///
/// ```swift
/// let totals = try graph.add(EffectTotalsStep(model: model, …))
///
/// var given = GivenInputs()
/// let step = EffectTotalsStep(model: model, means: given.add(means), …)
/// #expect(try step.result(of: given) == …)
/// ```
public protocol StepDefinition<Output>: Sendable {
    associatedtype Output: Artefact

    /// The declaration that a graph takes.
    /// - Throws: `PipelineError.invalidSharding`, and what looking at a model or at data throws.
    func step() throws -> Step<Output>
}

extension Graph {
    /// Adds a step.
    /// - Throws: what ``StepDefinition/step()`` throws, `PipelineError.danglingInput`, `.duplicateOutput`.
    @discardableResult
    public mutating func add<Definition: StepDefinition>(_ definition: Definition) throws -> StepHandle<
        Definition.Output
    > {
        try add(definition.step())
    }
}

/// Artefacts that stand for the results of other steps where a step is computed without a graph.
public struct GivenInputs: Sendable {
    private var artefacts: [StepKey: StoredArtefact] = [:]

    public init() {}

    /// - Throws: what storing the artefact throws.
    public mutating func add<Output: Artefact>(_ artefact: Output) throws -> StepHandle<Output> {
        let name = "given \(artefacts.count)"
        let key = StepKey(kind: name, version: 0, parameters: [:], sharding: nil, inputs: [], digests: [:])
        artefacts[key] = try artefact.stored()
        return StepHandle(key: key, name: name)
    }

    fileprivate func inputs(of step: String, _ declared: [AnyStepHandle]) -> StepInputs {
        StepInputs(step: step, declared: declared.map(\.key), cancellation: Cancellation()) { [artefacts] key in
            guard let artefact = artefacts[key] else {
                throw PipelineError.danglingInput(step: step, input: key.digest)
            }
            return artefact
        }
    }
}

extension StepDefinition {
    /// Computes the step in this thread, shard by shard, each of which goes through its stored form as in a run.
    /// - Throws: what the step throws; `PipelineError.danglingInput` for an input that is not given.
    public func result(of given: GivenInputs) throws -> Output {
        let step = try step()
        let inputs = given.inputs(of: step.kind, step.inputs)
        switch step.work.erased {
        case .single(let body): return try Output(body(inputs))
        case .map(let sharding, let makeWorker, let reduce):
            let parts = try Self.parts(sharding, makeWorker(inputs))
            return try Output(reduce(inputs) { parts[$0.index] })
        case .shards(let sharding, let makeWorker, let check):
            let parts = try Self.parts(sharding, makeWorker(inputs))
            let shards = StoredShards(sharding: sharding) { parts[$0.index] }
            try check(shards)
            return try Output(.shards(shards))
        }
    }

    private static func parts(_ sharding: Sharding, _ worker: (Shard) throws -> StoredArtefact) throws
        -> [StoredArtefact]
    {
        try (0..<sharding.shardCount).map { try worker(sharding.shard($0)) }
    }
}

extension Shards {
    /// Shards that are in memory.
    /// - Parameter units: of all of them; each but the last has `unitsPerShard`.
    /// - Throws: `PipelineError.invalidSharding` where there are not as many parts as shards, and what storing a part throws.
    public init(_ parts: [Part], units: Int, unitsPerShard: Int) throws {
        guard let sharding = Sharding(units: units, unitsPerShard: unitsPerShard), sharding.shardCount == parts.count
        else {
            throw PipelineError.invalidSharding(units: units, unitsPerShard: unitsPerShard)
        }
        let stored = try parts.map { try $0.stored() }
        try self.init(.shards(StoredShards(sharding: sharding) { stored[$0.index] }))
    }
}
