import Foundation
import Foundations

/// The part of a file that has come so far, `NAME.part`, and what tells whether the server still has the same file,
/// `NAME.part.json`. The file itself appears at once and whole, or not at all.
final class PartialFile {
    /// What the server said of the file when the first byte came.
    struct Origin: Codable, Equatable {
        var address: String
        /// A strong entity tag, or else the date of the last change: what `If-Range` takes.
        var validator: String?
        var bytes: Int?
    }

    let target: URL
    private let part: URL
    private let description: URL
    private let descriptor: Int32
    private(set) var origin: Origin?
    private var digest: FileDigest
    private let includesMD5: Bool

    /// Bytes that are there.
    var count: Int { digest.count }
    /// Bytes that came since this was opened.
    private(set) var received = 0

    /// Opens what is left of an earlier attempt, and reads it for its digest.
    /// - Throws: ``FetchError/cannotWrite(path:errno:)``, ``FetchError/cancelled``.
    init(of target: URL, address: String, includesMD5: Bool, step: (Int) -> Bool) throws {
        self.target = target
        self.includesMD5 = includesMD5
        part = target.appendingPathExtension("part")
        description = part.appendingPathExtension("json")
        digest = FileDigest(includesMD5: includesMD5)
        descriptor = open(part.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard descriptor >= 0 else { throw FetchError.cannotWrite(path: part.path, errno: errno) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG, information.st_nlink == 1
        else {
            throw FetchError.cannotWrite(path: part.path, errno: EINVAL)
        }
        let stored = (try? RegularFile.contents(of: description.path, limit: 1 << 16)).flatMap {
            try? JSONDecoder().decode(Origin.self, from: $0)
        }
        guard let stored, stored.address == address, stored.bytes.map({ $0 >= information.st_size }) ?? true else {
            try restart()
            return
        }
        origin = stored
        do {
            // By its own number: the name may be another file's by now.
            try digest.update(reading: RegularFile("/proc/self/fd/\(descriptor)"), step: step)
        } catch is CancellationError {
            throw FetchError.cancelled
        } catch {
            try restart()
        }
    }

    deinit { close(descriptor) }

    /// Forgets what is there.
    func restart() throws {
        guard ftruncate(descriptor, 0) == 0 else { throw failure(errno) }
        digest = FileDigest(includesMD5: includesMD5)
        origin = nil
        unlink(description.path)
    }

    /// Takes the first byte of a whole file.
    /// - Throws: ``FetchError/noRoom(path:needed:freeBytes:)``, ``FetchError/saveFailed(path:errno:freeBytes:)``.
    func begin(_ origin: Origin) throws {
        try restart()
        if let bytes = origin.bytes { try checkRoom(for: bytes) }
        do {
            try OutputFolder.write(JSONEncoder().encode(origin), to: description)
        } catch OutputError.saveFailed(_, let errno, _) {
            throw failure(errno)
        } catch let OutputError.refused(path, _) {
            throw FetchError.cannotWrite(path: path, errno: ELOOP)
        }
        self.origin = origin
    }

    /// - Throws: ``FetchError/saveFailed(path:errno:freeBytes:)``.
    func append(_ bytes: UnsafeRawBufferPointer) throws {
        var written = 0
        while written < bytes.count {
            let result = pwrite(
                descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written, off_t(count + written))
            if result < 0, errno == EINTR { continue }
            guard result > 0 else {
                let code = result < 0 ? errno : ENOSPC
                // What is there has to be what the digest has seen.
                ftruncate(descriptor, off_t(count))
                throw failure(code)
            }
            written += result
        }
        digest.update(bytes)
        received += bytes.count
    }

    func checkRoom(for bytes: Int) throws {
        let free = Self.freeBytes(at: part)
        guard bytes - count <= free else {
            throw FetchError.noRoom(path: target.path, needed: bytes - count, freeBytes: free)
        }
    }

    func digests() -> [DigestAlgorithm: String] { digest.finalized() }

    /// Gives the file its name.
    /// - Throws: ``FetchError/saveFailed(path:errno:freeBytes:)``.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw failure(errno) }
        guard rename(part.path, target.path) == 0 else { throw failure(errno) }
        unlink(description.path)
        let folder = open(target.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure(errno) }
    }

    /// Removes what is there.
    func discard() {
        unlink(part.path)
        unlink(description.path)
    }

    private func failure(_ errno: Int32) -> FetchError {
        .saveFailed(path: part.path, errno: errno, freeBytes: Self.freeBytes(at: part))
    }

    /// Room on the disk for somebody who is not root; without end where nobody tells.
    static func freeBytes(at url: URL) -> Int { OutputFolder.freeBytes(at: url).map { Int(clamping: $0) } ?? .max }
}
