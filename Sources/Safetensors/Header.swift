import Foundation

/// One tensor of a file, as the header declares it.
public struct TensorRecord: Equatable, Sendable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    /// Where the tensor's bytes stand in the file, row-major and little-endian.
    public let byteRange: Range<Int>
}

/// The parsed and fully validated header of a file.
///
/// A file is `length: UInt64 | header: JSON | tensor bytes`. The checks are those of the reference
/// library: tensors tile the rest of the file from its first byte to its last, without a hole and
/// without an overlap, and every span has the size that type and shape ask for.
struct Header {
    static let sizeLimit: UInt64 = 100_000_000
    static let metadataKey = "__metadata__"

    var tensors: [String: TensorRecord] = [:]
    var metadata: [String: String] = [:]

    init(of file: Data) throws {
        guard file.count >= 8 else { throw HeaderDefect.tooShort(bytes: file.count) }
        let length = file.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
        guard length <= Self.sizeLimit else { throw HeaderDefect.headerTooLarge(bytes: length) }
        let dataStart = 8 + Int(length)
        guard dataStart <= file.count else {
            throw HeaderDefect.headerBeyondEnd(bytes: Int(length), available: file.count - 8)
        }
        let bytes = [UInt8](file[file.startIndex + 8..<file.startIndex + dataStart])
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw HeaderDefect.headerNotUTF8
        }

        try validate(
            Self.declarations(in: bytes, into: &metadata), dataStart: dataStart,
            fileSize: file.count)
    }

    // MARK: Parsing

    private struct Declaration {
        var name: String
        var type: ElementType
        var shape: [Int]
        var start: Int
        var end: Int
    }

    private static func declarations(
        in bytes: [UInt8], into metadata: inout [String: String]
    ) throws -> [Declaration] {
        var scanner = HeaderScanner(bytes)
        var declarations: [Declaration] = []
        var keys: Set<String> = []
        var found: [String: String] = [:]
        try scanner.object { scanner, key in
            guard keys.insert(key).inserted else { throw HeaderDefect.duplicateKey(key) }
            if key == metadataKey {
                found = try parseMetadata(&scanner)
            } else {
                declarations.append(try parseDeclaration(&scanner, name: key))
            }
        }
        try scanner.end()
        metadata = found
        return declarations
    }

    private static func parseMetadata(_ scanner: inout HeaderScanner) throws -> [String: String] {
        var metadata: [String: String] = [:]
        if try scanner.null() { return metadata }
        try scanner.object { scanner, key in
            guard metadata.updateValue(try scanner.string(), forKey: key) == nil else {
                throw HeaderDefect.duplicateKey("\(metadataKey).\(key)")
            }
        }
        return metadata
    }

    private static func parseDeclaration(
        _ scanner: inout HeaderScanner, name: String
    ) throws -> Declaration {
        var type: ElementType?
        var shape: [Int]?
        var offsets: [Int]?
        var fields: Set<String> = []
        try scanner.object { scanner, field in
            guard fields.insert(field).inserted else {
                throw HeaderDefect.duplicateKey("\(name).\(field)")
            }
            switch field {
            case "dtype":
                let text = try scanner.string()
                type = ElementType(rawValue: text)
                if type == nil { throw HeaderDefect.unknownElementType(tensor: name, name: text) }
            case "shape":
                shape = try scanner.naturalNumbers()
            case "data_offsets":
                let numbers = try scanner.naturalNumbers()
                guard numbers.count == 2 else { throw scanner.failure(.expected("two offsets")) }
                offsets = numbers
            default:
                try scanner.skipValue(depth: 2)
            }
        }
        guard let type else { throw HeaderDefect.missingField(tensor: name, field: "dtype") }
        guard let shape else { throw HeaderDefect.missingField(tensor: name, field: "shape") }
        guard let offsets else {
            throw HeaderDefect.missingField(tensor: name, field: "data_offsets")
        }
        return Declaration(name: name, type: type, shape: shape, start: offsets[0], end: offsets[1])
    }

    // MARK: Validation

    private mutating func validate(
        _ declarations: [Declaration], dataStart: Int, fileSize: Int
    ) throws {
        var expectedStart = 0
        // Empty tensors share their start with the tensor after them: order by end as well.
        for tensor in declarations.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            guard tensor.start == expectedStart, tensor.end >= tensor.start else {
                throw HeaderDefect.invalidOffsets(
                    tensor: tensor.name, start: tensor.start, end: tensor.end,
                    expectedStart: expectedStart)
            }
            guard let bytes = tensor.type.byteCount(ofShape: tensor.shape) else {
                throw HeaderDefect.invalidShape(tensor: tensor.name, shape: tensor.shape)
            }
            let spanned = tensor.end - tensor.start
            guard bytes == spanned else {
                throw HeaderDefect.sizeMismatch(
                    tensor: tensor.name, expected: bytes, spanned: spanned)
            }
            guard tensor.end <= fileSize - dataStart else {
                throw HeaderDefect.lengthMismatch(
                    expected: dataStart.addingReportingOverflow(tensor.end).partialValue,
                    actual: fileSize)
            }
            tensors[tensor.name] = TensorRecord(
                name: tensor.name, type: tensor.type, shape: tensor.shape,
                byteRange: dataStart + tensor.start..<dataStart + tensor.end)
            expectedStart = tensor.end
        }
        guard dataStart + expectedStart == fileSize else {
            throw HeaderDefect.lengthMismatch(
                expected: dataStart + expectedStart, actual: fileSize)
        }
    }
}
