/// What a run would do, step by step, and why. Making a plan changes nothing.
public struct Plan: Sendable {
    public let entries: [Entry]

    /// One step of the plan.
    public struct Entry: Sendable {
        public let key: StepKey
        public let kind: String
        public let label: String
        /// Kind and label.
        public let name: String
        public let status: StepStatus
        /// Units (images) of the step, and those of shards that are yet to be computed; 0 for a
        /// step that is not a map.
        public let units: Int
        public let unitsLeft: Int
        public let memory: MemoryEstimate?
        /// Stored files that are to be removed because they are damaged.
        public let damagedFiles: [DamagedFile]

        /// Bytes that the step takes with some workers, of which none works without a shard; nil where they are negligible.
        public func bytes(workers: Int) -> Int? { memory?.bytes(workers: min(workers, node.sharding?.shardCount ?? 1)) }

        let node: StepNode
        let state: StoredState
        /// How long finished steps of this kind took; nil where there are none or the step does not run.
        let history: StepHistory?
    }

    /// Which steps are computed although they are there already.
    public enum Force: Equatable, Sendable {
        case nothing
        case everything
        /// Steps of these kinds or names, and all that depend on them.
        case steps(Set<String>)
    }

    public var stepsToRun: Int { entries.count { $0.status.isRun } }
    public var unitsLeft: Int { entries.reduce(0) { $0 + $1.unitsLeft } }

    /// Compares a graph with a store, every stored byte checked against its digest.
    /// - Throws: `PipelineError.unknownStep` for a name in `force`, `.cannotRead`.
    public init(_ graph: Graph, store: ArtefactStore, force: Force = .nothing) throws {
        let forced = try force.keys(in: graph)
        let states = try graph.nodes.map { try store.state(of: $0) }

        // Read once for each kind, however many steps are of it.
        var manifests: [String: [StepManifest]] = [:]
        func former(_ kind: String) -> [StepManifest] {
            if let known = manifests[kind] { return known }
            let found = store.manifests(ofKind: kind)
            manifests[kind] = found
            return found
        }

        // From the last step to the first: a missing step runs only for the sake of another.
        var needed = graph.finalSteps
        var statuses: [StepStatus] = []
        for (node, state) in zip(graph.nodes, states).reversed() {
            let status: StepStatus
            if forced.contains(node.key) {
                status = .run(.forced)
            } else if let damaged = state.damagedArtefact {
                status = .run(.damaged(damaged))
            } else if state.manifest != nil {
                status = .done
            } else if !needed.contains(node.key) {
                status = .notNeeded
            } else {
                status = .run(state.reason(for: node, former: former(node.kind)))
            }
            if status.isRun { needed.formUnion(node.inputs.map(\.key)) }
            statuses.append(status)
        }
        entries = zip(zip(graph.nodes, states), statuses.reversed()).map {
            Entry(
                $0.0, state: $0.1, status: $1,
                history: $1.isRun ? StepHistory(former($0.0.kind)) : nil)
        }
    }
}

extension Plan.Entry {
    fileprivate init(_ node: StepNode, state: StoredState, status: StepStatus, history: StepHistory?) {
        key = node.key
        kind = node.kind
        label = node.label
        name = node.name
        memory = node.memory
        damagedFiles = (state.damagedArtefact.map { [$0] } ?? []) + state.damagedShards.map(\.file)
        self.status = status
        self.node = node
        self.state = state
        self.history = history

        units = node.sharding?.units ?? 0
        guard status.isRun, let sharding = node.sharding else {
            unitsLeft = 0
            return
        }
        let finished = status == .run(.forced) ? [] : state.finishedShards
        unitsLeft = finished.reduce(sharding.units) { $0 - sharding.shard($1).units.count }
    }
}

extension Plan.Force {
    fileprivate func keys(in graph: Graph) throws -> Set<StepKey> {
        switch self {
        case .nothing:
            return []
        case .everything:
            return Set(graph.nodes.map(\.key))
        case .steps(let names):
            let known = Set(graph.nodes.flatMap { [$0.kind, $0.name] })
            for name in names.sorted() where !known.contains(name) {
                let kinds = Set(graph.nodes.map(\.kind)).sorted()
                throw PipelineError.unknownStep(
                    name, suggestion: nearestName(to: name, among: kinds), kinds: kinds)
            }
            var keys: Set<StepKey> = []
            for node in graph.nodes
            where names.contains(node.kind) || names.contains(node.name)
                || node.inputs.contains(where: { keys.contains($0.key) })
            {
                keys.insert(node.key)
            }
            return keys
        }
    }
}

extension Graph {
    /// The steps on which no other depends.
    fileprivate var finalSteps: Set<StepKey> {
        Set(nodes.map(\.key)).subtracting(nodes.flatMap { $0.inputs.map(\.key) })
    }
}
