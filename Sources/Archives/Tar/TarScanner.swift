/// Reads the headers of a tar, up to its end mark, and adds its files to an index.
struct TarScanner {
    /// The path of the tar that this one lies in, with a slash, or empty.
    var folder: [UInt8] = []
    /// Called instead of adding a file that is a tar itself, with its name and the range of its bytes.
    var nested: (([UInt8], Range<Int>, inout ArchiveIndexBuilder) throws -> Void)?

    /// What extended headers say of the entry that follows them.
    private struct Extension {
        var longName: [UInt8]?
        var pax: PaxRecords?
    }

    /// - Throws: `ArchiveError`.
    func scan(_ bytes: inout some TarBytes, into builder: inout ArchiveIndexBuilder) throws {
        var extensions = Extension()
        while true {
            let start = bytes.position
            var entry: [UInt8]?
            do {
                guard let block = try bytes.read(TarHeader.blockBytes) else { throw ArchiveDefect.truncated }
                // One zero block ends an archive; most writers put two or more.
                if block.allSatisfy({ $0 == 0 }) {
                    guard extensions.longName == nil, extensions.pax == nil else { throw ArchiveDefect.truncated }
                    return
                }
                let header = try TarHeader(block)
                entry = folder + (extensions.pax?.path ?? extensions.longName ?? header.name)
                if try !readExtension(header, into: &extensions, from: &bytes) {
                    try readEntry(header, extensions, at: start, from: &bytes, into: &builder)
                    extensions = Extension()
                }
            } catch let defect as ArchiveDefect {
                throw builder.file.refusal(defect, entry: entry, at: start)
            }
        }
    }

    /// Reads a header that tells of the next entry; false if `header` is none.
    private func readExtension(
        _ header: TarHeader, into extensions: inout Extension, from bytes: inout some TarBytes
    ) throws -> Bool {
        switch header.kind {
        case UInt8(ascii: "x"):
            extensions.pax = try PaxRecords(payload(of: header, limit: PaxRecords.sizeLimit, from: &bytes))
        case UInt8(ascii: "g"):
            // Comments and times of all entries; a path or size of all entries makes no sense.
            let records = try PaxRecords(payload(of: header, limit: PaxRecords.sizeLimit, from: &bytes))
            guard records.path == nil, records.size == nil else { throw ArchiveDefect.badRecord("global pax header") }
        case UInt8(ascii: "L"):
            // The name ends with a zero byte.
            guard header.size <= ArchiveLimits.nameBytes + 1 else {
                throw ArchiveDefect.nameTooLong(bytes: header.size)
            }
            let name = try payload(of: header, limit: ArchiveLimits.nameBytes + 1, from: &bytes)
            extensions.longName = name.last == 0 ? name.dropLast() : name
        case UInt8(ascii: "K"):
            // The target of the link that follows, which is then refused.
            _ = try payload(of: header, limit: PaxRecords.sizeLimit, from: &bytes)
        default: return false
        }
        return true
    }

    private func payload(of header: TarHeader, limit: Int, from bytes: inout some TarBytes) throws -> [UInt8] {
        guard header.size <= limit else { throw ArchiveDefect.tooLarge(bytes: header.size, limit: limit) }
        guard let padded = try bytes.read(Self.padded(header.size)) else { throw ArchiveDefect.truncated }
        return Array(padded.prefix(header.size))
    }

    private func readEntry(
        _ header: TarHeader, _ extensions: Extension, at start: Int, from bytes: inout some TarBytes,
        into builder: inout ArchiveIndexBuilder
    ) throws {
        let stored = extensions.pax?.path ?? extensions.longName ?? header.name
        let size = extensions.pax?.size ?? header.size
        let name = try EntryName.checked(stored)
        // In the format of version 7 a folder is a file whose name ends with a slash.
        let isFolder = header.kind == UInt8(ascii: "5") || stored.last == UInt8(ascii: "/")
        switch header.kind {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"), UInt8(ascii: "5"): break
        case UInt8(ascii: "1"): throw ArchiveDefect.hardLink
        case UInt8(ascii: "2"): throw ArchiveDefect.symbolicLink
        case UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "6"): throw ArchiveDefect.device
        case UInt8(ascii: "S"): throw ArchiveDefect.sparseFile
        default: throw ArchiveDefect.unsupportedKind(header.kind)
        }
        if isFolder {
            guard size == 0 else { throw ArchiveDefect.badNumber(field: "size of a folder") }
            return
        }
        guard let name else { throw ArchiveDefect.unusualPath }
        guard size <= builder.limits.entryBytes else {
            throw ArchiveDefect.tooLarge(bytes: size, limit: builder.limits.entryBytes)
        }
        if let available = bytes.available, Self.padded(size) > available {
            throw ArchiveDefect.beyondEnd(bytes: size, available: available)
        }
        let data = bytes.position..<bytes.position + size
        if let nested, name.suffix(4).elementsEqual(".tar".utf8) {
            try nested(name, data, &builder)
        } else {
            try builder.add(folder + name, offset: data.lowerBound, size: size, header: start)
        }
        guard try bytes.skip(Self.padded(size)) else { throw ArchiveDefect.truncated }
    }

    /// Data are padded to whole blocks.
    private static func padded(_ size: Int) -> Int {
        (size + TarHeader.blockBytes - 1) / TarHeader.blockBytes * TarHeader.blockBytes
    }
}
