/// The central directory of a zip file.
///
/// Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3 (records) and 4.5.3 (64-bit sizes).
struct ZipDirectory {
    /// Where the records of the directory stand.
    let range: Range<Int>
    let entryCount: Int
    private let file: RandomAccessFile

    private static let endBytes = 22
    private static let end64Bytes = 56
    private static let locatorBytes = 20
    /// A directory is read as a whole; ImageNet's files would take a tenth of this.
    private static let sizeLimit = 1 << 30

    /// Finds the directory by the record at the end of the file.
    /// - Throws: `ArchiveError`.
    init(of file: RandomAccessFile) throws {
        self.file = file
        let tailStart = max(0, file.size - Self.endBytes - 0xFFFF)
        let tail = try file.bytes(tailStart..<file.size)
        guard let position = Self.endRecord(in: tail) else {
            throw file.refusal(.truncated, at: file.size)
        }
        let end = ZipFields(bytes: tail[position...])
        var (count, size, start) = (end.short(10), end.word(12), end.word(16))
        var recordStart = tailStart + position
        let disks = (end.short(4), end.short(6))
        if let wide = try Self.end64(before: recordStart, in: file) {
            // Readers that look at only one of the two records must find the same directory.
            guard count == 0xFFFF || count == wide.count, size == 0xFFFF_FFFF || size == wide.size,
                start == 0xFFFF_FFFF || start == wide.start
            else { throw file.refusal(.headersDisagree, at: recordStart) }
            (count, size, start, recordStart) = (wide.count, wide.size, wide.start, wide.recordStart)
        }
        guard disks == (0, 0) || disks == (0xFFFF, 0xFFFF) else {
            throw file.refusal(.badRecord("several disks"), at: recordStart)
        }
        // A gap before the end record would hide entries, or the file has something in front of it.
        guard start <= recordStart, size == recordStart - start else {
            throw file.refusal(.badRecord("directory offset"), at: recordStart)
        }
        guard size <= Self.sizeLimit else {
            throw file.refusal(.tooLarge(bytes: size, limit: Self.sizeLimit), at: start)
        }
        range = start..<start + size
        entryCount = count
    }

    /// The last end record whose comment reaches exactly to the end.
    private static func endRecord(in tail: [UInt8]) -> Int? {
        guard tail.count >= endBytes else { return nil }
        return (0...tail.count - endBytes).reversed().first { position in
            guard tail[position] == 0x50, tail[position + 1] == 0x4B else { return false }
            let record = ZipFields(bytes: tail[position...])
            return record.word(0) == ZipSignature.end
                && position + endBytes + record.short(20) == tail.count
        }
    }

    /// The 64-bit end record, which a locator in front of the end record points to; nil without one.
    private static func end64(
        before end: Int, in file: RandomAccessFile
    ) throws -> (count: Int, size: Int, start: Int, recordStart: Int)? {
        let locatorStart = end - locatorBytes
        guard locatorStart >= end64Bytes else { return nil }
        let locator = ZipFields(bytes: try file.bytes(locatorStart..<end)[...])
        guard locator.word(0) == ZipSignature.end64Locator else { return nil }
        guard let recordStart = locator.long(8), recordStart <= locatorStart - end64Bytes else {
            throw file.refusal(.badRecord("zip64 locator"), at: locatorStart)
        }
        let record = ZipFields(bytes: try file.bytes(recordStart..<recordStart + end64Bytes)[...])
        guard record.word(0) == ZipSignature.end64, record.word(16) == 0, record.word(20) == 0,
            let count = record.long(32), let size = record.long(40), let start = record.long(48)
        else { throw file.refusal(.badRecord("zip64 end"), at: recordStart) }
        return (count, size, start, recordStart)
    }

    /// Adds every file to an index.
    /// - Throws: `ArchiveError`.
    func scan(into builder: inout ArchiveIndexBuilder) throws {
        let bytes = try file.bytes(range)
        var position = 0
        var found = 0
        var extents: [Range<Int>] = []
        while position < bytes.count {
            var name: [UInt8]?
            do {
                let entry = try ZipEntry(bytes[position...])
                name = entry.name
                try entry.checkKind()
                let data = try entry.data(in: file, before: range.lowerBound)
                extents.append(entry.headerOffset..<data.upperBound)
                if let path = try EntryName.checked(entry.name), !entry.isFolder {
                    try builder.add(
                        path, offset: data.lowerBound, size: entry.size,
                        deflatedBytes: entry.method == ZipMethod.deflated ? data.count : ArchiveIndex.Row.notDeflated,
                        crc32: entry.crc32, header: range.lowerBound + position)
                }
                position += entry.recordBytes
                found += 1
            } catch let defect as ArchiveDefect {
                throw file.refusal(defect, entry: name, at: range.lowerBound + position)
            }
        }
        guard found == entryCount else {
            throw file.refusal(.badRecord("number of entries"), at: range.upperBound)
        }
        extents.sort { $0.lowerBound < $1.lowerBound }
        for (first, second) in zip(extents, extents.dropFirst()) where first.upperBound > second.lowerBound {
            throw file.refusal(.overlap, at: second.lowerBound)
        }
    }
}
