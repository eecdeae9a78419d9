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
