import Foundation
import Synchronization

/// Writes files that are either absent or complete, whatever happens.
public enum DurableFile {
    /// Prefix of the names of files that are not complete.
    static let temporaryPrefix = ".tmp-"

    /// Files that this process has begun: two threads may write the same one.
    private static let files = Atomic(0)

    /// Writes to a name of this attempt alone, syncs, renames, and syncs the folder: when the call
    /// returns, the file survives a loss of power; before, its former version does.
    /// - Throws: `PipelineError.saveFailed`; the temporary file is removed.
    public static func write(_ data: Data, to url: URL) throws {
        try replace(url) { temporary in try write(data, toNew: temporary) }
    }

    /// Has `body` make a file under a name of this attempt, which then takes the place of `url`
    /// as `write` has it.
    /// - Throws: `PipelineError.saveFailed`, and what `body` throws; the temporary file is removed.
    public static func replace(_ url: URL, _ body: (URL) throws -> Void) throws {
        let folder = url.deletingLastPathComponent()
        let (number, _) = files.add(1, ordering: .relaxed)
        let temporary = folder.appendingPathComponent(
            "\(temporaryPrefix)\(ProcessIdentity.current.attempt)-\(number)-\(url.lastPathComponent)")
        do {
            try body(temporary)
            try sync(temporary, O_RDONLY)
            guard rename(temporary.path, url.path) == 0 else { throw failure(errno, url) }
        } catch {
            unlink(temporary.path)
            // The name that the caller knows, not the one it had for a moment.
            guard case PipelineError.saveFailed(temporary.path, let errno, let freeBytes) = error
            else {
                throw error
            }
            throw PipelineError.saveFailed(path: url.path, errno: errno, freeBytes: freeBytes)
        }
        try sync(folder, O_RDONLY | O_DIRECTORY)
    }

    private static func write(_ data: Data, toNew url: URL) throws {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure(errno, url) }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }

        try data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw failure(errno, url)
                }
                rest = rest.dropFirst(count)
            }
        }
        // A network file system may report a full disk only here.
        isOpen = false
        guard close(descriptor) == 0 else { throw failure(errno, url) }
    }

    static func sync(_ url: URL, _ flags: Int32) throws {
        let descriptor = open(url.path, flags | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(errno, url) }
        defer { close(descriptor) }
        // Some file systems cannot sync a folder and say so with EINVAL.
        guard fsync(descriptor) == 0 || (errno == EINVAL && flags & O_DIRECTORY != 0) else {
            throw failure(errno, url)
        }
    }

    static func failure(_ code: Int32, _ url: URL) -> PipelineError {
        .saveFailed(path: url.path, errno: code, freeBytes: freeBytes(at: url))
    }

    /// Bytes that an unprivileged process may still write where `url` lies.
    public static func freeBytes(at url: URL) -> Int64? {
        var status = statvfs()
        guard statvfs(url.deletingLastPathComponent().path, &status) == 0 else { return nil }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(
                by: UInt64(status.f_frsize)
            ).partialValue)
    }
}
