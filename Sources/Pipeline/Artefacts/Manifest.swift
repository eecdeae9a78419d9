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
