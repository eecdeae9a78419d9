import Foundation
import Foundations

/// One step of a pipeline, as an experiment declares it.
public struct Step<Output: Artefact>: Sendable {
    /// What the step does, such as `fit-means`: the folder of its artefacts.
    public var kind: String
    /// Tells steps of one kind apart for a reader, such as `layer 9`; not part of the key.
    public var label: String
    /// Version of the step's code: raised when the code comes to give other numbers.
    public var version: Int
    /// What the step's result depends on, by name.
    public var parameters: Parameters
    public var inputs: [AnyStepHandle]
    /// Digests of what the step reads from outside the graph, such as `model` and `data`.
    public var digests: [String: String]
    /// Memory that the work takes, in bytes; nil where it is negligible.
    public var memory: MemoryEstimate?
    /// Operations that the work takes; nil where they are negligible or nobody knows.
    public var cost: CostEstimate?
    public var work: Work<Output>

    public init(
        kind: String, label: String = "", version: Int, parameters: Parameters = [:],
        inputs: [AnyStepHandle] = [], digests: [String: String] = [:],
        memory: MemoryEstimate? = nil, cost: CostEstimate? = nil, work: Work<Output>
    ) {
        self.kind = kind
        self.label = label
        self.version = version
        self.parameters = parameters
        self.inputs = inputs
        self.digests = digests
        self.memory = memory
        self.cost = cost
        self.work = work
    }
}

/// Memory that a step takes, in bytes.
public struct MemoryEstimate: Hashable, Sendable {
    /// Taken once, such as the weights.
    public var shared: Int
    /// Taken by each worker, such as activations.
    public var perWorker: Int

    public init(shared: Int, perWorker: Int) {
        self.shared = shared
        self.perWorker = perWorker
    }

    /// What the step takes in all with a number of workers.
    public func bytes(workers: Int) -> Int {
        let (all, overflow) = perWorker.multipliedReportingOverflow(by: workers)
        let (sum, sumOverflow) = all.addingReportingOverflow(shared)
        return overflow || sumOverflow ? .max : sum
    }

    /// The most workers, up to `limit`, that `memory` bytes admit; 0 where not even one fits.
    func workers(upTo limit: Int, within memory: Int?) -> Int {
        guard let memory else { return limit }
        let (rest, overflow) = memory.subtractingReportingOverflow(shared)
        guard !overflow, rest >= 0 else { return 0 }
        return perWorker > 0 ? min(limit, rest / perWorker) : limit
    }
}

/// Stands for the artefact of a step of a graph.
public struct StepHandle<Output: Artefact>: Hashable, Sendable {
    public let key: StepKey
    /// Kind and label, for messages.
    public let name: String

    /// The handle without its type, to be listed among the inputs of another step.
    public var erased: AnyStepHandle { AnyStepHandle(key: key, name: name) }
}

/// Stands for the artefact of a step, without its type.
public struct AnyStepHandle: Hashable, Sendable {
    public let key: StepKey
    public let name: String
}

/// A kind of work whose speed on a machine is measured in a moment.
public protocol Workload: Sendable {
    /// Tells kinds of work apart in a stored calibration.
    var name: String { get }
    /// Operations a second of each worker while some work at once.
    func measureSpeed(workers: Int) -> Double
}

/// Operations that a step takes, from which its time is estimated.
public struct CostEstimate: Sendable {
    /// What the operations are like.
    public var workload: any Workload
    /// Done once, by the step's workers together.
    public var fixed: Double
    /// For each unit; for a step that is not a map there is one.
    public var perUnit: Double

    public init(_ workload: any Workload, fixed: Double = 0, perUnit: Double) {
        self.workload = workload
        self.fixed = fixed
        self.perUnit = perUnit
    }
}

/// The identity of a step's result: a digest of everything that can change it.
///
/// That is the kind of step, the version of its code, its parameters, how it is cut into shards,
/// the keys of its inputs, and the digests of what it reads from outside the graph (model, data).
/// Threads, paths, hosts and dates change no number, and are not part of it.
public struct StepKey: Hashable, Sendable, Codable {
    /// 64 hexadecimal digits.
    public let digest: String

    init(
        kind: String, version: Int, parameters: Parameters, sharding: Sharding?, inputs: [StepKey],
        digests: [String: String]
    ) {
        let identity: ParameterValue = [
            "kind": .text(kind),
            "version": .integer(version),
            "parameters": .mapping(parameters),
            // The order of additions, and with it the last digit, depends on the cut.
            "sharding": sharding.map { [.integer($0.units), .integer($0.unitsPerShard)] } ?? nil,
            "inputs": .texts(inputs.map(\.digest)),
            "digests": .mapping(digests.mapValues { .text($0) }),
        ]
        digest = Digest.sha256(of: Data(identity.canonicalJSON.utf8))
    }

    public init(from decoder: any Decoder) throws {
        digest = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(digest)
    }
}
