import Foundation

/// What a finished step left: written last, so that its presence commits the artefact.
struct StepManifest: Codable, Sendable {
    static let fileName = "manifest.json"

    struct Input: Codable, Equatable, Sendable {
        var name: String
        var key: StepKey
    }

    // The identity, spelt out: for a reader, and to say what has changed when a key is new.
    var kind: String
    var label: String
    var key: StepKey
    var version: Int
    var parameters: Parameters
    var sharding: Sharding?
    var inputs: [Input]
    var digests: [String: String]

    /// The artefact's file, and the digest of its bytes.
    var file: String
    var sha256: String
    /// Time the step took, shards of earlier attempts included.
    var seconds: Double
    /// Seconds that its operations at the machine's measured speed had promised: of a step that one run
    /// computed as a whole, nil for any other.
    var estimate: Double?
    /// Process that committed the artefact.
    var attempt: String

    init(
        _ node: StepNode, file: String, sha256: String, seconds: Double, estimate: Double?, attempt: String
    ) {
        kind = node.kind
        label = node.label
        key = node.key
        version = node.version
        parameters = node.parameters
        sharding = node.sharding
        inputs = node.inputs.map { Input(name: $0.name, key: $0.key) }
        digests = node.digests
        self.file = file
        self.sha256 = sha256
        self.seconds = seconds
        self.estimate = estimate
        self.attempt = attempt
    }
}

/// What a finished shard left: written last, so that its presence commits the shard.
struct ShardManifest: Codable, Sendable {
    var key: StepKey
    var shard: Int
    var firstUnit: Int
    var endUnit: Int
    var file: String
    var sha256: String
    var seconds: Double
    var attempt: String

    func describes(_ expected: Shard, of step: StepKey) -> Bool {
        key == step && shard == expected.index
            && firstUnit == expected.units.lowerBound && endUnit == expected.units.upperBound
    }
}

/// How far a step has come, by the names of its files: quick, and no proof.
public struct StepCompletion: Equatable, Sendable {
    public let key: StepKey
    public let kind: String
    /// Kind and label.
    public let name: String
    /// Whether its artefact seems to be committed.
    public let isDone: Bool
    /// All of a step that is done; 0 of a step in one piece.
    public let shardsDone: Int
    public let shards: Int
}

extension ArtefactStore {
    /// What there seems to be of each step, inputs before what depends on them; nothing is read or changed.
    public func glance(at graph: Graph) -> [StepCompletion] { graph.nodes.map(glance) }

    func glance(at node: StepNode) -> StepCompletion {
        let files = FileManager.default
        let isDone = files.fileExists(atPath: folder(node).file(StepManifest.fileName).path)
        let shards = node.sharding?.shardCount ?? 0
        var found = shards
        if !isDone {
            let names = (try? files.contentsOfDirectory(atPath: shardsFolder(node).url.path)) ?? []
            found = min(shards, names.count { $0.hasSuffix(".manifest.json") })
        }
        return StepCompletion(
            key: node.key, kind: node.kind, name: node.name, isDone: isDone, shardsDone: found, shards: shards)
    }
}
