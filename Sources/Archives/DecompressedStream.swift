import CArchive

/// What libarchive's decompressors make of a part of a file, from first byte to last.
final class DecompressedStream {
    enum Coding {
        case gzip, bzip2, xz, zstd
        /// An entry of a zip file, behind a local header of ours (see `ZipRecords.localHeader`).
        case zipEntry
    }

    private let file: RandomAccessFile
    private let limits: ArchiveLimits
    private let archive: OpaquePointer
    private let source: CompressedSource
    private let coding: Coding
    private let range: Range<Int>
    /// Bytes delivered so far.
    private(set) var position = 0
    private var isAtEnd = false
    /// CRC-32 of the bytes delivered so far, which gzip is checked by.
    private var check = CRC32()

    /// - Parameters:
    ///   - header: bytes that the decompressor sees in front of those of the file.
    ///   - range: the compressed bytes.
    /// - Throws: `ArchiveError.refused`, and what reading throws.
    init(
        _ file: RandomAccessFile, range: Range<Int>, header: [UInt8] = [], coding: Coding,
        limits: ArchiveLimits
    ) throws {
        guard let archive = archive_read_new() else {
            throw file.refusal(.undecodable("libarchive has no memory"), at: range.lowerBound)
        }
        self.file = file
        self.limits = limits
        self.archive = archive
        self.coding = coding
        self.range = range
        source = CompressedSource(file: file, header: header, range: range)

        switch coding {
        case .gzip: archive_read_support_filter_gzip(archive)
        case .bzip2: archive_read_support_filter_bzip2(archive)
        case .xz: archive_read_support_filter_xz(archive)
        case .zstd: archive_read_support_filter_zstd(archive)
        case .zipEntry: break
        }
        if coding == .zipEntry {
            archive_read_support_format_zip_streamable(archive)
        } else {
            archive_read_support_format_raw(archive)
            archive_read_support_format_empty(archive)
        }
        // The source outlives the handle: both go with this object, the handle first (see deinit).
        let opened = archive_read_open2(
            archive, Unmanaged.passUnretained(source).toOpaque(), nil, { CompressedSource.read($1, $2) }, nil, nil)
        var entry: OpaquePointer?
        guard opened == ARCHIVE_OK else { throw failure() }
        switch archive_read_next_header(archive, &entry) {
        case ARCHIVE_OK: break
        case ARCHIVE_EOF: isAtEnd = true
        default: throw failure()
        }
    }

    deinit { archive_read_free(archive) }

    /// Puts the next bytes into `buffer`; fewer than it holds only at the end of the stream.
    /// - Throws: `ArchiveError.refused`, and what reading throws.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var done = 0
        while done < buffer.count, !isAtEnd {
            let count = archive_read_data(archive, buffer.baseAddress.map { $0 + done }, buffer.count - done)
            guard count >= 0 else { throw failure() }
            if count == 0 { isAtEnd = true }
            if coding == .gzip { check.update(UnsafeRawBufferPointer(rebasing: buffer[done..<done + count])) }
            done += count
            position += count
            guard limits.allow(position, from: range.count) else {
                throw file.refusal(
                    .compressionRatio(bytes: position, stored: range.count), at: position)
            }
        }
        return done
    }

    /// Passes over the next `count` bytes.
    /// - Returns: whether there were as many.
    /// - Throws: `ArchiveError.refused`, and what reading throws.
    func skip(_ count: Int) throws -> Bool {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: min(max(count, 1), 1 << 18), alignment: 16)
        defer { scratch.deallocate() }
        var left = count
        while left > 0 {
            let wanted = min(left, scratch.count)
            let found = try read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted]))
            guard found == wanted else { return false }
            left -= found
        }
        return true
    }

    /// Passes over the rest, so that whatever follows the data has been checked.
    /// - Throws: `ArchiveError.refused`, and what reading throws.
    func drain() throws {
        while try skip(1 << 18) {}
        if coding == .gzip { try checkTrailer() }
    }

    /// libarchive passes over the CRC and size behind a gzip member. A file may have several members;
    /// where the last one's size is that of the whole stream, there is only one.
    private func checkTrailer() throws {
        guard range.count >= 8 else { return }
        let trailer = try file.bytes(range.upperBound - 8..<range.upperBound)
        let numbers = ZipFields(bytes: trailer[...])
        if numbers.word(4) == position & 0xFFFF_FFFF, numbers.word(0) != Int(check.value) {
            throw file.refusal(.checksumMismatch, at: position)
        }
    }

    private func failure() -> any Error {
        source.failure
            ?? file.refusal(
                .undecodable(archive_error_string(archive).map { String(cString: $0) } ?? ""), at: position)
    }
}

/// The compressed bytes, in the blocks in which libarchive asks for them.
private final class CompressedSource {
    private let file: RandomAccessFile
    private var header: [UInt8]
    private var range: Range<Int>
    private let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    /// Why the last block could not be read: libarchive only learns that it could not.
    private(set) var failure: (any Error)?

    init(file: RandomAccessFile, header: [UInt8], range: Range<Int>) {
        self.file = file
        self.header = header
        self.range = range
    }

    deinit { block.deallocate() }

    /// libarchive's read callback.
    static func read(
        _ source: UnsafeMutableRawPointer?, _ bytes: UnsafeMutablePointer<UnsafeRawPointer?>?
    ) -> Int {
        guard let source, let bytes else { return -1 }
        return Unmanaged<CompressedSource>.fromOpaque(source).takeUnretainedValue().read(bytes)
    }

    private func read(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        bytes.pointee = UnsafeRawPointer(block.baseAddress)
        if !header.isEmpty {
            defer { header = [] }
            block.copyBytes(from: header)
            return header.count
        }
        let count = min(range.count, block.count)
        do {
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: block[..<count]), at: range.lowerBound)
        } catch {
            failure = error
            return -1
        }
        range = range.lowerBound + count..<range.upperBound
        return count
    }
}
