import Foundation
import Foundations

/// A safetensors file, mapped into memory and validated as a whole when it is opened.
///
/// ```swift
/// let file = try SafetensorsFile(contentsOf: url)
/// let weights = try file.floats("visual.proj")  // [W, D], row-major
/// ```
public final class SafetensorsFile: Sendable {
    /// Where the file came from, for messages.
    public let path: String
    /// The tensors by name.
    public let tensors: [String: TensorRecord]
    /// The free text that the header carries under `__metadata__`.
    public let metadata: [String: String]

    private let bytes: Data

    /// Maps and validates a file.
    /// - Throws: `SafetensorsError.cannotRead`, `.malformed`.
    public convenience init(contentsOf url: URL) throws {
        let bytes: Data
        do {
            bytes = try RegularFile(url.path).map()
        } catch {
            throw SafetensorsError.cannotRead(path: url.path, error)
        }
        try self.init(bytes: bytes, path: url.path)
    }

    /// Validates a file that is in memory already; `path` serves messages.
    /// - Throws: `SafetensorsError.malformed`.
    public init(bytes: Data, path: String) throws {
        let header: Header
        do {
            header = try Header(of: bytes)
        } catch let defect as HeaderDefect {
            throw SafetensorsError.malformed(path: path, defect: defect)
        }
        self.path = path
        self.bytes = bytes
        tensors = header.tensors
        metadata = header.metadata
    }

    /// Calls `body` with the bytes of a tensor. They need not be aligned for its element type.
    /// - Throws: `SafetensorsError.noSuchTensor`, and what `body` throws.
    public func withBytes<R>(
        _ name: String, _ body: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        try tensor(name).data.withUnsafeBytes(body)
    }

    /// A tensor with its bytes, which stay in the mapped file.
    /// - Throws: `SafetensorsError.noSuchTensor`.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let record = tensors[name] else {
            throw SafetensorsError.noSuchTensor(path: path, tensor: name)
        }
        let start = bytes.startIndex + record.byteRange.lowerBound
        return StoredTensor(
            validated: record.type, shape: record.shape,
            data: bytes[start..<start + record.byteRange.count])
    }

    /// The elements of an F32, F16 or BF16 tensor; each value is exact.
    /// - Throws: `SafetensorsError.noSuchTensor`, `.notConvertible`.
    public func floats(_ name: String) throws -> [Float] {
        try read(name) { try $0.floats() }
    }

    /// The elements of an F64, F32, F16 or BF16 tensor; each value is exact.
    /// - Throws: `SafetensorsError.noSuchTensor`, `.notConvertible`.
    public func doubles(_ name: String) throws -> [Double] {
        try read(name) { try $0.doubles() }
    }

    /// The elements of a tensor of integers.
    /// - Throws: `SafetensorsError.noSuchTensor`, `.notConvertible`, `.valueOutOfRange`.
    public func int32s(_ name: String) throws -> [Int32] {
        try read(name) { try $0.int32s() }
    }

    /// The elements of a U8 or BOOL tensor.
    /// - Throws: `SafetensorsError.noSuchTensor`, `.notConvertible`.
    public func uint8s(_ name: String) throws -> [UInt8] {
        try read(name) { try $0.uint8s() }
    }

    /// Reads a tensor, adding path and name to the facts of an error.
    private func read<Value>(_ name: String, _ body: (StoredTensor) throws -> Value) throws -> Value {
        do {
            return try body(tensor(name))
        } catch SafetensorsError.notConvertible(nil, nil, let stored, let wanted) {
            throw SafetensorsError.notConvertible(
                path: path, tensor: name, stored: stored, wanted: wanted)
        } catch SafetensorsError.valueOutOfRange(nil, nil, let index, let wanted) {
            throw SafetensorsError.valueOutOfRange(
                path: path, tensor: name, index: index, wanted: wanted)
        }
    }
}
