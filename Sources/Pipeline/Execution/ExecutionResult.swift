/// A finished run.
public struct ExecutionResult: Sendable {
    /// How each step ended, in the order of the graph.
    public let outcomes: [StepOutcome]

    let graph: Graph
    let store: ArtefactStore

    /// Whether nothing had to be computed.
    public var isReused: Bool { outcomes.allSatisfy { $0.status != .computed } }

    /// The artefact of a step.
    /// - Throws: `PipelineError.notComputed` for one that was not needed, `.damaged`, and what
    ///   reading the artefact throws.
    public func artefact<Output: Artefact>(_ handle: StepHandle<Output>) throws -> Output {
        guard let node = graph.node(handle.key) else {
            throw PipelineError.notComputed(step: handle.name, key: handle.key)
        }
        return try Output(store.artefact(node))
    }
}
