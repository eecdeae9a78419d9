@testable import CLIPModel
import Foundation
import Safetensors
import TestSupport
import Testing

/// Indices and shards that do not fit each other.
@Suite struct ShardedWeightsTests {
    let folder: TemporaryFolder
    var index: String { folder.path("model.safetensors.index.json") }

    init() throws {
        folder = try TemporaryFolder()
        try write("a.safetensors", ["one": [1, 2], "two": [3]])
        try write("b.safetensors", ["three": [4]])
    }

    func write(_ name: String, _ tensors: [String: [Float]]) throws {
        let stored = try tensors.mapValues { try StoredTensor($0, shape: [$0.count]) }
        try SafetensorsWriter(tensors: stored).write(to: folder.url.appendingPathComponent(name))
    }

    func open(_ map: [String: Any]) throws -> ShardedWeights {
        let json = try JSONSerialization.data(withJSONObject: ["weight_map": map])
        try json.write(to: URL(fileURLWithPath: index))
        return try ShardedWeights(index: URL(fileURLWithPath: index)) { try SafetensorsFile(contentsOf: $0) }
    }

    @Test func tensorsComeFromTheirShards() throws {
        let weights = try open(["one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors"])
        #expect(try weights.floats("one") == [1, 2])
        #expect(try weights.floats("three") == [4])
        #expect(weights.records["two"] == WeightRecord(type: .float32, shape: [1], path: folder.path("a.safetensors")))
        #expect(weights.records.count == 3)
        #expect(throws: SafetensorsError.noSuchTensor(path: index, tensor: "four")) { try weights.tensor("four") }
    }

    @Test func shardsThatDisagreeWithTheIndex() throws {
        #expect(throws: CheckpointError.missingShard(path: index, shard: "c.safetensors")) {
            try open(["one": "a.safetensors", "two": "a.safetensors", "three": "c.safetensors"])
        }
        #expect(throws: CheckpointError.tensorNotInShard(path: index, tensor: "four", shard: "b.safetensors")) {
            try open([
                "one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors", "four": "b.safetensors",
            ])
        }
        #expect(throws: CheckpointError.tensorNotInShard(path: index, tensor: "two", shard: "b.safetensors")) {
            try open(["one": "a.safetensors", "two": "b.safetensors", "three": "b.safetensors"])
        }
        #expect(throws: CheckpointError.tensorNotInIndex(path: index, tensor: "two", shard: "a.safetensors")) {
            try open(["one": "a.safetensors", "three": "b.safetensors"])
        }
        try write("b.safetensors", ["three": [4], "two": [3]])
        #expect(
            throws: CheckpointError.tensorInTwoShards(
                path: index, tensor: "two", shards: ["a.safetensors", "b.safetensors"])
        ) { try open(["one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors"]) }
    }

    @Test(arguments: ["../a.safetensors", "/etc/passwd", "", ".", "..", "x/a.safetensors", ".hidden", "a\u{0}b"])
    func namesThatLeadElsewhere(name: String) throws {
        #expect(throws: ConfigurationError.self) { try open(["one": name]) }
    }

    @Test func whatIsNoIndex() throws {
        #expect(
            throws: ConfigurationError.invalidValue(path: index, key: "weight_map.one", found: "3", expected: .string)
        ) { try open(["one": 3]) }
        try Data("{}".utf8).write(to: URL(fileURLWithPath: index))
        #expect(
            throws: ConfigurationError.invalidValue(path: index, key: "weight_map", found: "null", expected: .object)
        ) { try ShardedWeights(index: URL(fileURLWithPath: index)) { try SafetensorsFile(contentsOf: $0) } }
        #expect(throws: SafetensorsError.self) { try open(["one": "model.safetensors.index.json"]) }
    }
}
