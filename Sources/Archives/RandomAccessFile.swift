import Foundations

/// An open regular file that several threads may read at once.
package final class RandomAccessFile: Sendable {
    package let path: String
    /// Size in bytes when the file was opened.
    package let size: Int
    private let file: RegularFile

    /// - Throws: `ArchiveError.cannotRead`.
    package init(path: String) throws {
        do {
            file = try RegularFile(path)
        } catch {
            throw ArchiveError.cannotRead(path: path, error)
        }
        self.path = path
        size = file.size
    }

    /// Fills `buffer` with the bytes from `offset` on.
    /// - Throws: `ArchiveError.cannotRead`; `.refused` as truncated where the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        let count: Int
        do {
            count = try file.read(into: buffer, at: offset)
        } catch {
            throw ArchiveError.cannotRead(path: path, error)
        }
        guard count == buffer.count else { throw refusal(.truncated, at: offset + count) }
    }

    /// - Throws: `ArchiveError.cannotRead`; `.refused` as truncated where the file ends before.
    package func bytes(_ range: Range<Int>) throws -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= size else {
            throw refusal(.truncated, at: size)
        }
        return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initialized in
            try read(
                into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count]),
                at: range.lowerBound)
            initialized = range.count
        }
    }

    func refusal(_ defect: ArchiveDefect, entry: [UInt8]? = nil, at offset: Int) -> ArchiveError {
        .refused(
            location: path, entry: entry.map { String(decoding: $0, as: UTF8.self) },
            offset: offset, defect: defect)
    }
}
