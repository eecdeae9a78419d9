import Foundation
import Foundations

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
