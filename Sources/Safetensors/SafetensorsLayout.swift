import Foundation

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
