/// The work of one step in this process: some of its shards, or what makes its artefact of them.
struct StepComputation {
    let node: StepNode
    let store: ArtefactStore
    let cancellation: Cancellation
    let events: EventSink
    private let inputs: StepInputs

    init(_ node: StepNode, of graph: Graph, store: ArtefactStore, cancellation: Cancellation, events: EventSink) {
        self.node = node
        self.store = store
        self.cancellation = cancellation
        self.events = events
        inputs = StepInputs(step: node.name, declared: node.inputs.map(\.key), cancellation: cancellation) { key in
            guard let input = graph.node(key) else {
                throw PipelineError.danglingInput(step: node.name, input: key.digest)
            }
            return try store.artefact(input)
        }
    }

    /// Computes shards and stores each as soon as it is done; nothing for a step without shards.
    /// - Throws: `PipelineError`.
    func computeShards(_ pending: [Int], workers: Int) throws {
        switch node.work {
        case .single: return
        case .map(let sharding, let makeWorker, _), .shards(let sharding, let makeWorker, _):
            let run = ShardRun(
                node: node, sharding: sharding, pending: pending, store: store, cancellation: cancellation,
                events: events)
            try run.compute(workers: workers, inputs: inputs, makeWorker: makeWorker)
        }
    }

    /// The artefact, made of the stored shards where the step has some; each is checked as it is read.
    /// - Throws: `PipelineError`.
    func artefact() throws -> StoredArtefact {
        switch node.work {
        case .single(let body):
            return try attributed { try body(inputs) }
        case .map(_, _, let reduce):
            return try attributed { try reduce(inputs) { try store.output($0, of: node) } }
        case .shards(let sharding, _, let check):
            let artefact = try store.index(of: node, sharding)
            try attributed { try check(store.shards(of: node, index: artefact)) }
            return artefact
        }
    }

    private func attributed<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch  where error.namesItsPlace {
            throw error
        } catch {
            throw PipelineError.stepFailed(step: node.name, underlying: error)
        }
    }
}
