/// An index as bytes: a header, a record an entry, and a hash of all that.
///
///     "CLENSIDX" | version | format | bytes of the archive | fingerprint | count | records | FNV-1a
///
/// A record is: length of the path's beginning that it shares with the preceding path, length of the
/// rest, the rest; distance of the data from the end of the preceding data; size; in a zip file also
/// bytes of the deflate stream plus one (0 for a stored entry) and CRC. Numbers are LEB128, distances
/// zigzag; fingerprint, CRC and hash have their fixed sizes, little-endian. An entry of ImageNet's
/// train archive takes about 16 bytes.
extension ArchiveIndex {
    private static let magic = Array("CLENSIDX".utf8)
    private static let version = 1
    private static let hashBytes = 8

    /// The index as bytes, to be kept beside artefacts.
    public func serialized() -> [UInt8] {
        var writer = NumberWriter()
        writer.bytes = Self.magic
        writer.append(Self.version)
        writer.append(Int(format.rawValue))
        writer.append(archiveBytes)
        writer.append(fixed: fingerprint)
        writer.append(rows.count)
        var (lastName, lastEnd) = (ArraySlice<UInt8>(), 0)
        for (index, row) in rows.enumerated() {
            let name = nameBytes(of: index)
            let shared = zip(lastName, name).prefix { $0 == $1 }.count
            writer.append(shared)
            writer.append(name.count - shared)
            writer.bytes += name.dropFirst(shared)
            writer.append(signed: row.offset - lastEnd)
            writer.append(row.size)
            if format == .zip {
                writer.append(row.deflatedBytes + 1)
                writer.append(fixed: row.crc32)
            }
            (lastName, lastEnd) = (name, row.offset + row.storedBytes)
        }
        var hash = FNV1a()
        hash.combine(writer.bytes)
        writer.append(fixed: hash.value)
        return writer.bytes
    }

    /// Reads what `serialized` wrote.
    /// - Throws: `ArchiveError.malformedIndex`, `.unknownIndexVersion`.
    public init(serialized bytes: [UInt8]) throws {
        var reader = NumberReader(bytes: bytes, end: max(0, bytes.count - Self.hashBytes))
        guard try reader.take(Self.magic.count).elementsEqual(Self.magic) else {
            throw ArchiveError.malformedIndex(offset: 0)
        }
        let version = try reader.number()
        guard version == Self.version else { throw ArchiveError.unknownIndexVersion(version) }
        var hash = FNV1a()
        hash.combine(bytes[..<reader.end])
        var hashReader = NumberReader(bytes: bytes, end: bytes.count, position: reader.end)
        guard try hashReader.fixed(UInt64.self) == hash.value else { throw reader.failure }

        guard let format = Format(rawValue: UInt8(clamping: try reader.number())) else { throw reader.failure }
        let archiveBytes = try reader.number()
        let fingerprint = try reader.fixed(UInt64.self)
        let count = try reader.number()
        // Each entry takes five bytes at least.
        guard count <= (reader.end - reader.position) / 5 else { throw reader.failure }

        var names: [UInt8] = []
        var rows: [Row] = []
        rows.reserveCapacity(count)
        var lastEnd = 0
        for _ in 0..<count {
            let lastStart = rows.count < 2 ? 0 : Int(rows[rows.count - 2].nameEnd)
            let shared = try reader.number()
            guard shared <= names.count - lastStart else { throw reader.failure }
            let name = Array(names[lastStart..<lastStart + shared]) + (try reader.take(reader.number()))
            guard (try? EntryName.checked(name)) == name, names.count <= Int(UInt32.max) - name.count else {
                throw reader.failure
            }
            names += name
            var row = Row(
                nameEnd: UInt32(names.count), crc32: 0, offset: try reader.signed(adding: lastEnd),
                size: try reader.number(), deflatedBytes: Row.notDeflated)
            if format == .zip {
                row.deflatedBytes = try reader.number() - 1
                row.crc32 = try reader.fixed(UInt32.self)
            }
            guard row.isPossible(in: format, archiveBytes: archiveBytes, after: lastEnd) else {
                throw reader.failure
            }
            rows.append(row)
            lastEnd = row.offset + row.storedBytes
        }
        guard reader.position == reader.end else { throw reader.failure }
        self.init(
            format: format, archiveBytes: archiveBytes, fingerprint: fingerprint, names: names, rows: rows,
            order: Self.order(names: names, rows: rows))
        guard duplicate == nil else { throw reader.failure }
    }
}

extension ArchiveIndex.Row {
    /// Bytes that the data take in the archive or stream.
    fileprivate var storedBytes: Int { deflatedBytes == Self.notDeflated ? size : deflatedBytes }

    /// Whether an archive of that size can have such an entry behind one that ends at `lastEnd`.
    fileprivate func isPossible(in format: ArchiveIndex.Format, archiveBytes: Int, after lastEnd: Int) -> Bool {
        let (end, overflow) = offset.addingReportingOverflow(storedBytes)
        guard offset >= 0, !overflow else { return false }
        switch format {
        case .compressedTar: return offset >= lastEnd
        case .tar: return offset >= TarHeader.blockBytes && end <= archiveBytes
        case .zip:
            return end <= archiveBytes
                && (deflatedBytes == Self.notDeflated || size / ArchiveIndex.deflateRatio <= deflatedBytes)
        }
    }
}

private struct NumberWriter {
    var bytes: [UInt8] = []

    mutating func append(_ value: Int) {
        append(leb128: UInt64(value))
    }

    mutating func append(signed value: Int) {
        append(leb128: UInt64(bitPattern: Int64(value << 1 ^ value >> 63)))
    }

    mutating func append(fixed value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    private mutating func append(leb128 value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

private struct NumberReader {
    let bytes: [UInt8]
    let end: Int
    var position = 0

    var failure: ArchiveError { .malformedIndex(offset: position) }

    mutating func take(_ count: Int) throws -> ArraySlice<UInt8> {
        guard count <= end - position else { throw failure }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func number() throws -> Int {
        guard let value = Int(exactly: try leb128()) else { throw failure }
        return value
    }

    mutating func signed(adding base: Int) throws -> Int {
        let zigzag = try leb128()
        let (sum, overflow) = base.addingReportingOverflow(Int(zigzag >> 1) ^ -Int(zigzag & 1))
        guard !overflow else { throw failure }
        return sum
    }

    mutating func fixed<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        try take(MemoryLayout<Value>.size).reversed().reduce(0) { $0 << 8 | Value($1) }
    }

    private mutating func leb128() throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 63, by: 7) {
            guard position < end else { throw failure }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte & 0x80 == 0 { return value }
        }
        throw failure
    }
}

/// A digest by which a kept index recognises its archive without reading it.
///
/// It covers 512 bytes in front of the data of 64 entries spread evenly over the archive (which in a tar
/// is their header, in a zip file the local header and what precedes it), and the first and last 512
/// bytes of the file (in a zip file the end of its directory). Entries of a compressed tar have no place
/// in the file; there the samples are spread over the compressed bytes. That makes 66 short reads,
/// however large the archive is. Each later read of an entry checks that entry's own header or CRC.
enum Fingerprint {
    private static let samples = 64
    private static let sampleBytes = 512

    static func of(
        _ file: RandomAccessFile, format: ArchiveIndex.Format, rows: [ArchiveIndex.Row]
    ) throws -> UInt64 {
        var digest = FNV1a()
        var ends = [sampleBytes, file.size]
        switch format {
        case .compressedTar:
            ends += (0..<samples).map { file.size / samples * $0 }
        case .tar, .zip:
            if !rows.isEmpty {
                ends += (0..<samples).map { rows[$0 * (rows.count - 1) / (samples - 1)].offset }
            }
        }
        for end in ends {
            let end = min(end, file.size)
            digest.combine(try file.bytes(max(0, end - sampleBytes)..<end))
        }
        return digest.value
    }
}

/// The 64-bit FNV-1a hash.
struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
        }
    }
}
