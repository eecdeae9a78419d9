/// The bytes of a tar, in order.
protocol TarBytes {
    /// Offset of the next byte, in the archive or in the decompressed stream.
    var position: Int { get }
    /// How many bytes follow, where that is known.
    var available: Int? { get }
    /// The next `count` bytes, or nil where there are fewer.
    mutating func read(_ count: Int) throws -> [UInt8]?
    /// Passes over `count` bytes; false where there are fewer.
    mutating func skip(_ count: Int) throws -> Bool
}

/// A plain tar, which is the whole of a file or, inside another tar, a part of it.
struct FileRange: TarBytes {
    let file: RandomAccessFile
    let end: Int
    private(set) var position: Int

    init(_ file: RandomAccessFile, _ range: Range<Int>) {
        self.file = file
        position = range.lowerBound
        end = range.upperBound
    }

    var available: Int? { end - position }

    mutating func read(_ count: Int) throws -> [UInt8]? {
        guard count <= end - position else { return nil }
        defer { position += count }
        return try file.bytes(position..<position + count)
    }

    mutating func skip(_ count: Int) -> Bool {
        guard count <= end - position else { return false }
        position += count
        return true
    }
}

/// A compressed tar.
extension DecompressedStream: TarBytes {
    var available: Int? { nil }

    func read(_ count: Int) throws -> [UInt8]? {
        let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
        }
        return bytes.count == count ? bytes : nil
    }
}
