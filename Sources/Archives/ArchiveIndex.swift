/// Where the files of an archive lie: built in one pass over its headers, and storable.
///
/// An entry costs 32 bytes besides its path. Entries stand in the order of the archive.
public struct ArchiveIndex: Equatable, Sendable {
    public enum Format: UInt8, Sendable {
        case tar, compressedTar, zip
    }

    public let format: Format
    /// Size of the archive that the index was built from.
    public let archiveBytes: Int
    /// Digest of the bytes in front of sampled entries (see `Fingerprint`).
    let fingerprint: UInt64

    struct Row: Equatable {
        /// End of the path in `names`; it starts where the preceding row's ends.
        var nameEnd: UInt32
        var crc32: UInt32
        /// Offset of the entry's data in bytes, in the archive or in the decompressed stream.
        var offset: Int
        var size: Int
        /// Bytes of the deflate stream, or `notDeflated`.
        var deflatedBytes: Int

        static let notDeflated = -1
    }

    let names: [UInt8]
    let rows: [Row]
    /// Rows in the order of their paths' bytes.
    let order: [UInt32]

    /// Deflate cannot make more of a byte than this: 258 bytes of two bits.
    static let deflateRatio = 1032

    public var count: Int { rows.count }

    public subscript(index: Int) -> ArchiveEntry {
        let row = rows[index]
        let storage: ArchiveEntry.Storage =
            if row.deflatedBytes != Row.notDeflated {
                .deflated(offset: row.offset, bytes: row.deflatedBytes)
            } else if format == .compressedTar {
                .streamed(offset: row.offset)
            } else {
                .plain(offset: row.offset)
            }
        return ArchiveEntry(
            path: path(of: index), size: row.size, storage: storage,
            crc32: format == .zip ? row.crc32 : nil)
    }

    public func path(of index: Int) -> String {
        String(decoding: nameBytes(of: index), as: UTF8.self)
    }

    /// The entry under `path`, compared byte by byte.
    public func firstIndex(of path: String) -> Int? {
        let wanted = Array(path.utf8)
        let rank = firstRank(notBefore: wanted)
        guard rank < order.count, nameBytes(of: Int(order[rank])).elementsEqual(wanted) else { return nil }
        return Int(order[rank])
    }

    /// The entries whose paths begin with `prefix`, in the order of their bytes.
    func indices(withPrefix prefix: String) -> [Int] {
        let prefix = Array(prefix.utf8)
        return order[firstRank(notBefore: prefix)...].lazy.map { Int($0) }
            .prefix { nameBytes(of: $0).starts(with: prefix) }
    }

    private func firstRank(notBefore name: [UInt8]) -> Int {
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if nameBytes(of: Int(order[middle])).lexicographicallyPrecedes(name) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    func nameBytes(of index: Int) -> ArraySlice<UInt8> {
        names[Int(index == 0 ? 0 : rows[index - 1].nameEnd)..<Int(rows[index].nameEnd)]
    }
}

/// A file in an archive.
public struct ArchiveEntry: Equatable, Sendable {
    /// As the archive has it, but for a leading `./`. A file of a tar inside a tar has the inner tar's
    /// path in front, as if that were a folder.
    public let path: String
    /// Bytes of the file.
    public let size: Int
    public let storage: Storage
    /// What a zip file says the CRC-32 of the file's bytes is.
    public let crc32: UInt32?

    public enum Storage: Equatable, Sendable {
        /// The bytes stand in the archive from `offset` on.
        case plain(offset: Int)
        /// `bytes` bytes of a deflate stream stand in the archive from `offset` on.
        case deflated(offset: Int, bytes: Int)
        /// The bytes stand in the decompressed stream from `offset` on.
        case streamed(offset: Int)
    }
}

extension ArchiveIndex {
    /// Rows in the order of their paths' bytes.
    static func order(names: [UInt8], rows: [Row]) -> [UInt32] {
        names.withUnsafeBytes { names in
            func name(_ row: UInt32) -> UnsafeRawBufferPointer {
                let start = Int(row == 0 ? 0 : rows[Int(row) - 1].nameEnd)
                return UnsafeRawBufferPointer(rebasing: names[start..<Int(rows[Int(row)].nameEnd)])
            }
            return (0..<UInt32(rows.count)).sorted { precedes(name($0), name($1)) }
        }
    }

    /// An entry that has the path of one before it.
    var duplicate: Int? {
        for (first, second) in zip(order, order.dropFirst())
        where nameBytes(of: Int(first)) == nameBytes(of: Int(second)) {
            return Int(max(first, second))
        }
        return nil
    }

    private static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        for position in 0..<min(a.count, b.count) where a[position] != b[position] {
            return a[position] < b[position]
        }
        return a.count < b.count
    }
}

/// Collects entries, and refuses what no archive may hold.
struct ArchiveIndexBuilder {
    let file: RandomAccessFile
    let limits: ArchiveLimits
    private var names: [UInt8] = []
    private(set) var rows: [ArchiveIndex.Row] = []

    init(file: RandomAccessFile, limits: ArchiveLimits) {
        self.file = file
        self.limits = limits
    }

    /// Adds a file under its checked name.
    ///
    /// - Parameters:
    ///   - offset: where the data start, in the archive or in the decompressed stream.
    ///   - deflatedBytes: size of the deflate stream, or `Row.notDeflated`.
    ///   - header: where the entry's header starts, for errors.
    mutating func add(
        _ name: [UInt8], offset: Int, size: Int,
        deflatedBytes: Int = ArchiveIndex.Row.notDeflated, crc32: UInt32 = 0, header: Int
    ) throws {
        func refuse(_ defect: ArchiveDefect) throws -> Never {
            throw file.refusal(defect, entry: name, at: header)
        }
        guard name.count <= ArchiveLimits.nameBytes else { try refuse(.nameTooLong(bytes: name.count)) }
        guard size <= limits.entryBytes else { try refuse(.tooLarge(bytes: size, limit: limits.entryBytes)) }
        if deflatedBytes != ArchiveIndex.Row.notDeflated {
            guard limits.allow(size, from: deflatedBytes), size / ArchiveIndex.deflateRatio <= deflatedBytes else {
                try refuse(.compressionRatio(bytes: size, stored: deflatedBytes))
            }
        }
        guard rows.count < limits.entryCount, names.count <= Int(UInt32.max) - name.count else {
            try refuse(.tooManyEntries(limit: limits.entryCount))
        }
        names += name
        rows.append(
            .init(
                nameEnd: UInt32(names.count), crc32: crc32, offset: offset, size: size,
                deflatedBytes: deflatedBytes))
    }

    /// - Throws: `ArchiveError.refused` where two entries have one name.
    func index(format: ArchiveIndex.Format) throws -> ArchiveIndex {
        let order = ArchiveIndex.order(names: names, rows: rows)
        let index = ArchiveIndex(
            format: format, archiveBytes: file.size,
            fingerprint: try Fingerprint.of(file, format: format, rows: rows), names: names, rows: rows,
            order: order)
        if let duplicate = index.duplicate {
            throw file.refusal(
                .duplicateName, entry: Array(index.nameBytes(of: duplicate)), at: rows[duplicate].offset)
        }
        return index
    }
}

extension ArchiveIndex {
    /// Reads the headers of an archive. What kind of archive it is, its first bytes say.
    /// - Throws: `ArchiveError`.
    init(of file: RandomAccessFile, limits: ArchiveLimits) throws {
        var builder = ArchiveIndexBuilder(file: file, limits: limits)
        let magic = try file.bytes(0..<min(file.size, 6))
        if magic.starts(with: [0x50, 0x4B]) {
            try ZipDirectory(of: file).scan(into: &builder)
            self = try builder.index(format: .zip)
        } else if let coding = Self.coding(of: magic) {
            var stream = try DecompressedStream(file, range: 0..<file.size, coding: coding, limits: limits)
            try TarScanner().scan(&stream, into: &builder)
            try stream.drain()
            self = try builder.index(format: .compressedTar)
        } else {
            try Self.scanPlainTar(file, into: &builder)
            self = try builder.index(format: .tar)
        }
    }

    /// What a file that begins with `magic` is compressed by.
    static func coding(of magic: [UInt8]) -> DecompressedStream.Coding? {
        switch magic {
        case _ where magic.starts(with: [0x1F, 0x8B]): .gzip
        case _ where magic.starts(with: Array("BZh".utf8)): .bzip2
        case [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]: .xz
        case _ where magic.starts(with: [0x28, 0xB5, 0x2F, 0xFD]): .zstd
        default: nil
        }
    }

    private static func scanPlainTar(_ file: RandomAccessFile, into builder: inout ArchiveIndexBuilder) throws {
        let first = try file.bytes(0..<min(file.size, TarHeader.blockBytes))
        // Shorter than one header, it cannot be told from any other file.
        guard first.count == TarHeader.blockBytes else {
            throw file.refusal(first.isEmpty ? .truncated : .unknownFormat, at: 0)
        }
        guard TarHeader.isValid(first) || first.allSatisfy({ $0 == 0 }) else {
            throw file.refusal(.unknownFormat, at: 0)
        }
        guard file.size.isMultiple(of: TarHeader.blockBytes) else {
            throw file.refusal(.truncated, at: file.size)
        }
        let scanner = TarScanner { name, range, builder in
            var inner = FileRange(file, range)
            try TarScanner(folder: name + [UInt8(ascii: "/")]).scan(&inner, into: &builder)
        }
        var bytes = FileRange(file, 0..<file.size)
        try scanner.scan(&bytes, into: &builder)
    }
}
