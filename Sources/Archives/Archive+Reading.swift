import Foundation
import Foundations

extension Archive {
    /// All bytes of a file; those of a zip file have the CRC that its directory states, unless that is 0.
    ///
    /// The first file of a compressed tar has the whole tar decompressed, which needs as much room in the temporary folder:
    /// `forEach` reads many files in one pass without.
    /// - Throws: `ArchiveError`; `OutputError` where there is no room for the decompressed tar.
    public func contents(of file: Int) throws -> [UInt8] {
        let entry = index[file]
        switch entry.storage {
        case .plain(let offset):
            if index.format == .tar { try checkTarHeader(of: entry, before: offset) }
            return try checked(self.file.bytes(offset..<offset + entry.size), of: entry, at: offset)
        case .deflated(let offset, let bytes):
            return try checked(inflate(entry, at: offset, bytes: bytes), of: entry, at: offset)
        case .streamed(let offset):
            let (tar, bytes) = try decompressedTar()
            // The archive was cut or written anew since its headers were read.
            guard offset + entry.size <= bytes else {
                throw self.file.refusal(.truncated, entry: Array(entry.path.utf8), at: bytes)
            }
            return try [UInt8](unsafeUninitializedCapacity: entry.size) { buffer, initialized in
                try tar.read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<entry.size]))
                initialized = entry.size
            }
        }
    }

    /// The tar inside a compressed one, made by whoever asks first; what stood in the way once is not tried again.
    private func decompressedTar() throws -> (tar: PendingFile, bytes: Int) {
        try decompressed.withLock { made in
            let result = made ?? Result { try decompress() }
            made = result
            return try result.get()
        }
    }

    private func decompress() throws -> (tar: PendingFile, bytes: Int) {
        let tar = try PendingFile(
            for: FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)"),
            followsLink: false)
        let stream = try openStream()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let place = stream.position
            let count = try stream.read(into: piece)
            try tar.write(UnsafeRawBufferPointer(rebasing: piece[..<count]), at: place)
            if count < piece.count { break }
        }
        try stream.drain()
        return (tar, stream.position)
    }

    /// Some bytes of a file that is stored plainly. No CRC is checked.
    /// - Throws: `ArchiveError`; `.refused` as beyond the end where the file has fewer bytes or is compressed.
    public func contents(of file: Int, in range: Range<Int>) throws -> [UInt8] {
        let entry = index[file]
        guard case .plain(let offset) = entry.storage, range.lowerBound >= 0, range.upperBound <= entry.size else {
            throw self.file.refusal(
                .beyondEnd(bytes: range.upperBound, available: entry.size), entry: Array(entry.path.utf8),
                at: index.rows[file].offset)
        }
        return try self.file.bytes(offset + range.lowerBound..<offset + range.upperBound)
    }

    public func forEach(
        where isWanted: (Int) throws -> Bool, _ body: (Int, [UInt8]) throws -> Void
    ) throws {
        // Opened for the first wanted file, and read on from one to the next.
        var stream: DecompressedStream?
        for file in 0..<count where try isWanted(file) {
            let entry = index[file]
            if case .streamed(let offset) = entry.storage {
                let opened = try stream ?? openStream()
                stream = opened
                try body(file, contents(of: entry, at: offset, in: opened))
            } else {
                try body(file, contents(of: file))
            }
        }
    }

    // MARK: Kinds of storage

    private func openStream() throws -> DecompressedStream {
        guard let coding = ArchiveIndex.coding(of: try file.bytes(0..<min(file.size, 6))) else {
            throw ArchiveError.staleIndex(location: location, reason: .movedHeaders)
        }
        return try DecompressedStream(file, range: 0..<file.size, coding: coding, limits: limits)
    }

    private func contents(of entry: ArchiveEntry, at offset: Int, in stream: DecompressedStream) throws -> [UInt8] {
        guard limits.allow(offset + entry.size, from: file.size) else {
            throw file.refusal(
                .compressionRatio(bytes: offset + entry.size, stored: file.size), entry: Array(entry.path.utf8),
                at: offset)
        }
        guard try stream.skip(offset - stream.position), let bytes = try stream.read(entry.size) else {
            throw file.refusal(.truncated, entry: Array(entry.path.utf8), at: stream.position)
        }
        return bytes
    }

    private func inflate(_ entry: ArchiveEntry, at offset: Int, bytes: Int) throws -> [UInt8] {
        guard let size = UInt32(exactly: entry.size), let deflatedBytes = UInt32(exactly: bytes) else {
            throw file.refusal(
                .tooLarge(bytes: entry.size, limit: Int(UInt32.max)), entry: Array(entry.path.utf8), at: offset)
        }
        do {
            let stream = try DecompressedStream(
                file, range: offset..<offset + bytes,
                header: zipLocalHeader(deflatedBytes: deflatedBytes, size: size, crc32: entry.crc32 ?? 0),
                coding: .zipEntry, limits: limits)
            guard let bytes = try stream.read(entry.size) else { throw ArchiveDefect.truncated }
            // The decompressor compares sizes and CRC when it is asked for more than there is.
            guard try !stream.skip(1) else {
                throw ArchiveDefect.beyondEnd(bytes: entry.size + 1, available: entry.size)
            }
            return bytes
        } catch ArchiveError.refused(_, nil, _, let defect) {
            throw file.refusal(defect, entry: Array(entry.path.utf8), at: offset)
        } catch let defect as ArchiveDefect {
            throw file.refusal(defect, entry: Array(entry.path.utf8), at: offset)
        }
    }

    // MARK: Checks

    private func checkTarHeader(of entry: ArchiveEntry, before offset: Int) throws {
        guard TarHeader.isValid(try file.bytes(offset - TarHeader.blockBytes..<offset)) else {
            throw ArchiveError.staleIndex(location: location, reason: .movedHeaders)
        }
    }

    private func checked(_ bytes: [UInt8], of entry: ArchiveEntry, at offset: Int) throws -> [UInt8] {
        // torch.save writes 0 where it has been told to leave CRCs out.
        if let crc32 = entry.crc32, crc32 != 0, bytes.withUnsafeBytes(CRC32.of) != crc32 {
            throw file.refusal(.checksumMismatch, entry: Array(entry.path.utf8), at: offset)
        }
        return bytes
    }
}
