/// The steps of a pipeline and how they depend on each other.
///
/// A step can only name steps that were added before it, so a graph has no cycle. Adding a step
/// that is in the graph already gives the handle of the first: experiments that need the same
/// computation share it without knowing of each other.
public struct Graph: Sendable {
    /// In the order in which they were added, inputs before what depends on them.
    private(set) var nodes: [StepNode] = []
    private var indices: [StepKey: Int] = [:]

    public init() {}

    public var count: Int { nodes.count }

    /// What tells each step from others, in the order in which they were added.
    public var steps: [(kind: String, label: String, key: StepKey)] { nodes.map { ($0.kind, $0.label, $0.key) } }

    /// Adds a step.
    /// - Throws: `PipelineError.danglingInput` for an input that is not of this graph,
    ///   `.duplicateOutput` where an equal step has another type of result.
    @discardableResult
    public mutating func add<Output: Artefact>(_ step: Step<Output>) throws -> StepHandle<Output> {
        let name = step.label.isEmpty ? step.kind : "\(step.kind) (\(step.label))"
        for input in step.inputs where indices[input.key] == nil {
            throw PipelineError.danglingInput(step: name, input: input.name)
        }
        let key = StepKey(
            kind: step.kind, version: step.version, parameters: step.parameters,
            sharding: step.work.erased.sharding, inputs: step.inputs.map(\.key),
            digests: step.digests)

        if let index = indices[key] {
            let first = nodes[index]
            guard first.outputType == ObjectIdentifier(Output.self) else {
                throw PipelineError.duplicateOutput(
                    output: key.digest, first: first.name, second: name)
            }
            return StepHandle(key: key, name: first.name)
        }
        indices[key] = nodes.count
        nodes.append(
            StepNode(
                key: key, kind: step.kind, label: step.label, name: name, version: step.version,
                parameters: step.parameters, inputs: step.inputs, digests: step.digests,
                memory: step.memory, cost: step.cost, work: step.work.erased,
                outputType: ObjectIdentifier(Output.self)))
        return StepHandle(key: key, name: name)
    }

    func node(_ key: StepKey) -> StepNode? {
        indices[key].map { nodes[$0] }
    }
}

/// A step of a graph, without the type of its result.
struct StepNode: Sendable {
    let key: StepKey
    let kind: String
    let label: String
    let name: String
    let version: Int
    let parameters: Parameters
    let inputs: [AnyStepHandle]
    let digests: [String: String]
    let memory: MemoryEstimate?
    let cost: CostEstimate?
    let work: ErasedWork
    let outputType: ObjectIdentifier

    var sharding: Sharding? { work.sharding }
}
