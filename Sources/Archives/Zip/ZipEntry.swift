/// A record of a zip file's directory.
struct ZipEntry {
    let name: [UInt8]
    let method: Int
    let crc32: UInt32
    let size: Int
    /// Bytes that the data take in the archive.
    let storedBytes: Int
    let headerOffset: Int
    /// Bytes of the record itself.
    let recordBytes: Int
    private let flags: Int
    private let unixMode: Int

    private static let fixedBytes = 46
    private static let localFixedBytes = 30
    private static let zip64Field = 0x0001
    /// Encrypted, strongly encrypted, and with masked headers.
    private static let encryptionFlags = 1 | 1 << 6 | 1 << 13

    var isFolder: Bool { name.last == UInt8(ascii: "/") }

    /// Reads the record that `bytes` begin with.
    /// - Throws: `ArchiveDefect`.
    init(_ bytes: ArraySlice<UInt8>) throws(ArchiveDefect) {
        guard bytes.count >= Self.fixedBytes else { throw .truncated }
        let fields = ZipFields(bytes: bytes)
        guard fields.word(0) == ZipSignature.directoryEntry else { throw .badRecord("directory entry") }
        let (nameBytes, extraBytes) = (fields.short(28), fields.short(30))
        recordBytes = Self.fixedBytes + nameBytes + extraBytes + fields.short(32)
        guard recordBytes <= bytes.count else { throw .truncated }

        let rest = bytes.dropFirst(Self.fixedBytes)
        name = Array(rest.prefix(nameBytes))
        flags = fields.short(8)
        method = fields.short(10)
        crc32 = UInt32(truncatingIfNeeded: fields.word(16))
        // The upper byte of "version made by" is the system: 3 is Unix, 19 macOS.
        unixMode = [3, 19].contains(fields.short(4) >> 8) ? fields.word(38) >> 16 : 0

        var numbers = [fields.word(24), fields.word(20), fields.word(42)]
        if numbers.contains(0xFFFF_FFFF) {
            try Self.widen(&numbers, by: rest.dropFirst(nameBytes).prefix(extraBytes))
        }
        (size, storedBytes, headerOffset) = (numbers[0], numbers[1], numbers[2])
    }

    /// Replaces the numbers that did not fit into 32 bits by those of the extra field.
    private static func widen(_ numbers: inout [Int], by extra: ArraySlice<UInt8>) throws(ArchiveDefect) {
        var rest = extra
        while rest.count >= 4 {
            let field = ZipFields(bytes: rest)
            let length = field.short(2)
            guard length <= rest.count - 4 else { break }
            if field.short(0) == zip64Field {
                var offset = 4
                for position in numbers.indices where numbers[position] == 0xFFFF_FFFF {
                    guard offset + 8 <= 4 + length, let wide = field.long(offset) else {
                        throw .badNumber(field: "zip64 extra field")
                    }
                    numbers[position] = wide
                    offset += 8
                }
                return
            }
            rest = rest.dropFirst(4 + length)
        }
        throw .badNumber(field: "zip64 extra field")
    }

    /// - Throws: `ArchiveDefect` unless this is a folder or a regular file that can be read.
    func checkKind() throws(ArchiveDefect) {
        switch unixMode & 0o170000 {
        case 0, 0o100000, 0o040000: break
        case 0o120000: throw .symbolicLink
        default: throw .device
        }
        guard flags & Self.encryptionFlags == 0 else { throw .encrypted }
        switch method {
        case ZipMethod.stored:
            guard size == storedBytes else { throw .badNumber(field: "size of a stored entry") }
        case ZipMethod.deflated: break
        default: throw .unsupportedMethod(method)
        }
        if isFolder, size != 0 { throw .badNumber(field: "size of a folder") }
    }

    /// Where the data stand: behind the local header, whose own extra field only it knows.
    /// - Parameter limit: where the directory starts.
    /// - Throws: `ArchiveDefect`, `ArchiveError`.
    func data(in file: RandomAccessFile, before limit: Int) throws -> Range<Int> {
        let fixed = Self.localFixedBytes
        guard headerOffset <= limit, limit - headerOffset >= fixed + name.count else {
            throw ArchiveDefect.beyondEnd(bytes: fixed + name.count, available: max(0, limit - headerOffset))
        }
        let header = try file.bytes(headerOffset..<headerOffset + fixed + name.count)
        let fields = ZipFields(bytes: header[...])
        guard fields.word(0) == ZipSignature.localHeader else { throw ArchiveDefect.badRecord("local header") }
        guard fields.short(6) & Self.encryptionFlags == 0 else { throw ArchiveDefect.encrypted }
        guard fields.short(8) == method, fields.short(26) == name.count,
            header[fixed...].elementsEqual(name)
        else { throw ArchiveDefect.headersDisagree }
        let start = headerOffset + fixed + name.count + fields.short(28)
        guard start <= limit, storedBytes <= limit - start else {
            throw ArchiveDefect.beyondEnd(bytes: storedBytes, available: max(0, limit - start))
        }
        return start..<start + storedBytes
    }
}
