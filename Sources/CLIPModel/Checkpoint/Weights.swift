import Foundation
import Safetensors
import TorchCheckpoint

/// Tensors by name, in whatever kind of file they are stored.
public protocol Weights: Sendable {
    /// The file that was opened, for messages.
    var path: String { get }
    /// Every tensor of the file, by name.
    var records: [String: WeightRecord] { get }
    /// A tensor with its bytes: a part of a mapped file where the format allows it.
    func tensor(_ name: String) throws -> StoredTensor
}

/// A tensor as a file declares it, before its bytes are read.
public struct WeightRecord: Equatable, Sendable {
    public let type: ElementType
    public let shape: [Int]
    /// The file that holds the tensor: of a sharded checkpoint, the shard.
    public let path: String

    public init(type: ElementType, shape: [Int], path: String) {
        self.type = type
        self.shape = shape
        self.path = path
    }
}

extension Weights {
    /// The elements of an F32, F16 or BF16 tensor; each value is exact.
    /// - Throws: what the file's reader throws; `SafetensorsError.notConvertible`.
    public func floats(_ name: String) throws -> [Float] { try tensor(name).floats() }
}

extension SafetensorsFile: Weights {
    public var records: [String: WeightRecord] {
        tensors.mapValues { WeightRecord(type: $0.type, shape: $0.shape, path: path) }
    }
}

extension TorchCheckpoint: Weights {
    public var records: [String: WeightRecord] {
        tensors.mapValues { WeightRecord(type: $0.type, shape: $0.shape, path: path) }
    }
}

/// A checkpoint in several files, with an index that says which tensor is in which: what `save_pretrained` of
/// `transformers` writes for large models.
///
/// The index and the shards are held against each other when it is opened: every shard is there, and the tensors
/// of each are those that the index lists for it.
struct ShardedWeights: Weights {
    /// The index.
    let path: String
    let records: [String: WeightRecord]
    private let shards: [String: any Weights]
    private let shardOfTensor: [String: String]

    /// - Parameter open: opens a shard.
    /// - Throws: ``ConfigurationError`` for the index, ``CheckpointError`` where index and shards disagree, and what
    ///   opening a shard throws.
    init(index: URL, open: (URL) throws -> any Weights) throws {
        let map = try ConfigurationSection(contentsOf: index).requiredSection("weight_map")
        let folder = index.deletingLastPathComponent()
        var shardOfTensor: [String: String] = [:]
        for tensor in map.keys { shardOfTensor[tensor] = try Self.fileName(tensor, map) }

        var shards: [String: any Weights] = [:]
        var records: [String: WeightRecord] = [:]
        var found: [String: String] = [:]
        for shard in Set(shardOfTensor.values).sorted() {
            let url = folder.appendingPathComponent(shard)
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw CheckpointError.missingShard(path: index.path, shard: shard)
            }
            let weights = try open(url)
            shards[shard] = weights
            for (tensor, record) in weights.records.sorted(by: { $0.key < $1.key }) {
                if let other = found.updateValue(shard, forKey: tensor) {
                    throw CheckpointError.tensorInTwoShards(path: index.path, tensor: tensor, shards: [other, shard])
                }
                guard shardOfTensor[tensor] != nil else {
                    throw CheckpointError.tensorNotInIndex(path: index.path, tensor: tensor, shard: shard)
                }
                records[tensor] = record
            }
        }
        for (tensor, shard) in shardOfTensor.sorted(by: { $0.key < $1.key }) where found[tensor] != shard {
            throw CheckpointError.tensorNotInShard(path: index.path, tensor: tensor, shard: shard)
        }
        path = index.path
        self.records = records
        self.shards = shards
        self.shardOfTensor = shardOfTensor
    }

    func tensor(_ name: String) throws -> StoredTensor {
        guard let shard = shardOfTensor[name], let weights = shards[shard] else {
            throw SafetensorsError.noSuchTensor(path: path, tensor: name)
        }
        return try weights.tensor(name)
    }

    /// The name of a file beside the index: one that leads elsewhere is refused.
    private static func fileName(_ tensor: String, _ map: ConfigurationSection) throws(ConfigurationError) -> String {
        let name = try map.string(tensor)
        guard !name.isEmpty, !name.hasPrefix("."), !name.contains("/"), !name.utf8.contains(0), name.utf8.count < 256
        else { throw map.invalid(tensor, .fileName) }
        return name
    }
}
