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
