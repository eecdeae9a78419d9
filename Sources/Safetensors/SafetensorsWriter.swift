import Foundation

/// Writes tensors as a safetensors file whose bytes depend on its content alone.
///
/// Tensors stand in the order of their names, keys of the header are sorted, and the header is
/// padded with spaces so that the tensors start at a multiple of 8 bytes.
public struct SafetensorsWriter: Sendable {
    public var tensors: [String: StoredTensor]
    public var metadata: [String: String]

    public init(tensors: [String: StoredTensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The bytes of the file.
    /// - Throws: `SafetensorsError.reservedName` for a tensor called `__metadata__`.
    public func data() throws -> Data {
        guard tensors[Header.metadataKey] == nil else {
            throw SafetensorsError.reservedName(Header.metadataKey)
        }
        let ordered = tensors.sorted { $0.key < $1.key }
        var header = try headerJSON(ordered)
        header.append(
            contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))

        var file = Data(capacity: 8 + header.count + ordered.reduce(0) { $0 + $1.value.data.count })
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(header)
        for (_, tensor) in ordered { file.append(tensor.data) }
        return file
    }

    /// Writes the file, replacing one that exists only once the new one is complete.
    /// - Throws: `SafetensorsError.reservedName`, `.cannotWrite`.
    public func write(to url: URL) throws {
        let bytes = try data()
        do {
            try bytes.write(to: url, options: .atomic)
        } catch let error as CocoaError {
            let cause = error.underlying as? POSIXError
            throw SafetensorsError.cannotWrite(path: url.path, errno: cause?.code.rawValue ?? EIO)
        }
    }

    private struct Declaration: Encodable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private func headerJSON(_ ordered: [(key: String, value: StoredTensor)]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var members: [Data] = []
        func append(_ key: String, _ value: some Encodable) throws {
            members.append(try encoder.encode(key) + Data(":".utf8) + encoder.encode(value))
        }
        if !metadata.isEmpty { try append(Header.metadataKey, metadata) }
        var offset = 0
        for (name, tensor) in ordered {
            let end = offset + tensor.data.count
            try append(
                name,
                Declaration(
                    dtype: tensor.type.rawValue, shape: tensor.shape, offsets: [offset, end]))
            offset = end
        }
        return Data("{".utf8) + Data(members.joined(separator: Data(",".utf8))) + Data("}".utf8)
    }
}
