/// Whether a step has to be computed, and why.
public enum StepStatus: Equatable, Sendable {
    /// The artefact is there and its bytes are right.
    case done
    /// There is no artefact, and nothing that will be computed asks for it.
    case notNeeded
    case run(RunReason)

    public var isRun: Bool {
        if case .run = self { true } else { false }
    }
}

/// Why a step will be computed.
public enum RunReason: Equatable, Sendable {
    /// A step of this kind and label has never been computed.
    case missing
    /// It has been computed before, but differently: these are the differences from the most
    /// similar of the former steps.
    case changed([Change])
    /// It was interrupted; the finished shards are kept.
    case incomplete(finishedShards: Int, of: Int)
    case damaged(DamagedFile)
    case forced
}

/// How a step differs from a former one.
public enum Change: Equatable, Sendable {
    case codeVersion(from: Int, to: Int)
    /// nil stands for a parameter that the step does not have.
    case parameter(String, from: ParameterValue?, to: ParameterValue?)
    case sharding(from: Sharding?, to: Sharding?)
    /// A digest of something outside the graph, such as `model`.
    case digest(String, from: String?, to: String?)
    /// A step whose result is an input has itself changed.
    case input(String)
}

extension StoredState {
    /// Why a step without an artefact has none.
    /// - Parameter steps: finished steps of its kind.
    func reason(for node: StepNode, former steps: [StepManifest]) -> RunReason {
        if let sharding = node.sharding, !finishedShards.isEmpty {
            return .incomplete(finishedShards: finishedShards.count, of: sharding.shardCount)
        }
        // No date is stored that could tell the latest, and the most similar says more.
        let former =
            steps
            .filter { $0.label == node.label && $0.key != node.key }
            .map { changes(from: $0, to: node) }
            .min { $0.count < $1.count }
        return former.map { .changed($0) } ?? .missing
    }

    private func changes(from former: StepManifest, to node: StepNode) -> [Change] {
        var changes: [Change] = []
        if former.version != node.version {
            changes.append(.codeVersion(from: former.version, to: node.version))
        }
        changes += differences(
            former.parameters.mapValues(\.asDecoded), node.parameters.mapValues(\.asDecoded)
        ).map { .parameter($0, from: $1, to: $2) }
        if former.sharding != node.sharding {
            changes.append(.sharding(from: former.sharding, to: node.sharding))
        }
        changes += differences(former.digests, node.digests).map { .digest($0, from: $1, to: $2) }
        let formerInputs = Dictionary(former.inputs.map { ($0.name, $0.key) }) { first, _ in first }
        let inputs = Dictionary(node.inputs.map { ($0.name, $0.key) }) { first, _ in first }
        changes += differences(formerInputs, inputs).map { name, _, _ in .input(name) }
        return changes
    }

    private func differences<Value: Equatable>(
        _ old: [String: Value], _ new: [String: Value]
    ) -> [(name: String, from: Value?, to: Value?)] {
        Set(old.keys).union(new.keys).sorted()
            .filter { old[$0] != new[$0] }
            .map { ($0, old[$0], new[$0]) }
    }
}

extension ParameterValue {
    /// The value as it comes back from JSON, where 2.0 and 2 are one.
    fileprivate var asDecoded: ParameterValue {
        switch self {
        case .number(let value): Int(exactly: value).map { .integer($0) } ?? self
        case .list(let values): .list(values.map(\.asDecoded))
        case .mapping(let members): .mapping(members.mapValues(\.asDecoded))
        default: self
        }
    }
}
