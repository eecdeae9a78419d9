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
