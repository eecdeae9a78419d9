import Foundation
import Foundations

/// A tensor that a file is going to hold.
public struct TensorDeclaration: Equatable, Sendable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]

    public init(_ name: String, _ type: ElementType = .float32, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }
}

/// Where each tensor of a file stands, known before the first number is: for files that are written piece by
/// piece, in any order.
///
/// Tensors stand in the order of their names, keys of the header are sorted, and the header is padded with
/// spaces so that the tensors start at a multiple of 8 bytes.
public struct SafetensorsLayout: Sendable {
    /// The first bytes of the file: the length of the header, the header and its padding.
    public let header: Data
    /// The tensors by name, each with its bytes' place in the file.
    public let tensors: [String: TensorRecord]
    /// Bytes of the whole file.
    public let byteCount: Int

    /// - Throws: `SafetensorsError.reservedName` for a tensor called `__metadata__`, `.duplicateName`,
    ///   `.impossibleShape`, and `.headerTooLarge` for a header that no reader takes.
    public init(_ declarations: [TensorDeclaration], metadata: [String: String] = [:]) throws {
        var places: [(declaration: TensorDeclaration, start: Int, end: Int)] = []
        var names: Set<String> = []
        var offset = 0
        for declaration in declarations.sorted(by: { $0.name < $1.name }) {
            guard declaration.name != Header.metadataKey else {
                throw SafetensorsError.reservedName(Header.metadataKey)
            }
            guard names.insert(declaration.name).inserted else {
                throw SafetensorsError.duplicateName(declaration.name)
            }
            guard let bytes = declaration.type.byteCount(ofShape: declaration.shape),
                case let (end, overflow) = offset.addingReportingOverflow(bytes), !overflow
            else { throw SafetensorsError.impossibleShape(tensor: declaration.name, shape: declaration.shape) }
            places.append((declaration, offset, end))
            offset = end
        }
        var json = try Self.json(places, metadata: metadata)
        json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
        guard json.count <= Header.sizeLimit else { throw SafetensorsError.headerTooLarge(bytes: json.count) }
        var header = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        header.append(json)

        self.header = header
        byteCount = header.count + offset
        tensors = places.reduce(into: [:]) { tensors, place in
            let (declaration, start, end) = place
            tensors[declaration.name] = TensorRecord(
                name: declaration.name, type: declaration.type, shape: declaration.shape,
                byteRange: header.count + start..<header.count + end)
        }
    }

    private struct Entry: Encodable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    private static func json(
        _ places: [(declaration: TensorDeclaration, start: Int, end: Int)], metadata: [String: String]
    ) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var members: [Data] = []
        func append(_ key: String, _ value: some Encodable) throws {
            members.append(try encoder.encode(key) + Data(":".utf8) + encoder.encode(value))
        }
        if !metadata.isEmpty { try append(Header.metadataKey, metadata) }
        for (declaration, start, end) in places {
            try append(
                declaration.name,
                Entry(dtype: declaration.type.rawValue, shape: declaration.shape, offsets: [start, end]))
        }
        return Data("{".utf8) + Data(members.joined(separator: Data(",".utf8))) + Data("}".utf8)
    }
}

/// Writes tensors as a safetensors file whose bytes depend on its content alone.
///
/// The file is that of ``SafetensorsLayout``.
public struct SafetensorsWriter: Sendable {
    public var tensors: [String: StoredTensor]
    public var metadata: [String: String]

    public init(tensors: [String: StoredTensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// The bytes of the file.
    /// - Throws: as `SafetensorsLayout.init`.
    public func data() throws -> Data {
        let layout = try SafetensorsLayout(
            tensors.map { TensorDeclaration($0.key, $0.value.type, shape: $0.value.shape) }, metadata: metadata)
        var file = Data(capacity: layout.byteCount)
        file.append(layout.header)
        for (_, tensor) in tensors.sorted(by: { $0.key < $1.key }) { file.append(tensor.data) }
        return file
    }

    /// Writes the file, replacing one that exists only once the new one is complete.
    /// - Throws: as `SafetensorsLayout.init`; `OutputError`.
    public func write(to url: URL) throws {
        try OutputFolder.write(data(), to: url)
    }
}
