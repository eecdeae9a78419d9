import Foundation

/// An open regular file that several threads may read at once.
package final class RandomAccessFile: Sendable {
    package let path: String
    /// Size in bytes when the file was opened.
    package let size: Int
    private let descriptor: Int32

    /// - Throws: `ArchiveError.cannotRead`, `.notARegularFile`.
    package init(path: String) throws {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ArchiveError.cannotRead(path: path, errno: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw ArchiveError.cannotRead(path: path, errno: code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw ArchiveError.notARegularFile(path: path)
        }
        self.path = path
        self.size = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills `buffer` with the bytes from `offset` on.
    /// - Throws: `ArchiveError.cannotRead`; `.refused` as truncated where the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < buffer.count {
            let count = pread(
                descriptor, buffer.baseAddress.map { $0 + done }, buffer.count - done,
                off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ArchiveError.cannotRead(path: path, errno: errno) }
            guard count > 0 else { throw refusal(.truncated, at: offset + done) }
            done += count
        }
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
