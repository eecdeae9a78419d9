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
