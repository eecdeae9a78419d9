import Foundation
import Synchronization

/// A file that has no name until it is complete: whatever ends the process before ``commit()``, nothing is left
/// behind. Its parts are written and read in any order, from any thread.
///
/// The kernel keeps the file without a name (`O_TMPFILE`); a file system that cannot gets a temporary name
/// beside the final one, which only a kill leaves behind.
public final class PendingFile: Sendable {
    public let url: URL
    private let descriptor: Int32
    /// The name that the file has, if it has one, before it is complete.
    private let temporary: Mutex<String?>

    /// Makes an empty file where `url` is going to be.
    /// - Parameter followsLink: for a file that a person named: a link stays a link, and what it leads to is replaced. False
    ///   refuses a link.
    /// - Throws: ``OutputError/cannotWrite(path:errno:)``, ``OutputError/refused(path:_:)``: what stands in the way is known
    ///   before there is anything to write.
    public convenience init(for url: URL, followsLink: Bool) throws {
        try self.init(for: url, followsLink: followsLink, isNameless: true)
    }

    /// - Parameter isNameless: false does without the kernel's nameless files, as on file systems that have none.
    init(for url: URL, followsLink: Bool, isNameless: Bool) throws {
        let target = followsLink ? url.resolvingSymlinksInPath() : url
        func failure(_ code: Int32) -> OutputError { .cannotWrite(path: url.path, errno: code) }
        var status = stat()
        if lstat(target.path, &status) == 0 {
            // A device is not to be replaced by a file.
            switch status.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: throw failure(EISDIR)
            case S_IFLNK: throw OutputError.refused(path: url.path, .link)
            default: throw OutputError.refused(path: url.path, .notARegularFile)
            }
        } else if errno != ENOENT {
            throw failure(errno)
        }
        self.url = target
        if isNameless, let nameless = Self.openNameable(in: target.deletingLastPathComponent()) {
            descriptor = nameless
            temporary = Mutex(nil)
        } else {
            let name = Self.temporaryName(in: target.deletingLastPathComponent())
            descriptor = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw failure(errno) }
            temporary = Mutex(name)
        }
    }

    deinit {
        close(descriptor)
        temporary.withLock { name in
            if let name { unlink(name) }
        }
    }

    /// Takes the room for a file of so many bytes, so that a full disk is found before the work.
    /// - Throws: ``OutputError/saveFailed(path:errno:freeBytes:)``.
    public func reserve(_ count: Int) throws {
        guard count > 0 else { return }
        // An interrupted call starts again.
        while true {
            let code = posix_fallocate(descriptor, 0, off_t(count))
            if code == 0 { return }
            guard code == EINTR else { throw failure(code) }
        }
    }

    /// - Throws: ``OutputError/saveFailed(path:errno:freeBytes:)``.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        try transfer(bytes.count) { done, count in
            pwrite(descriptor, bytes.baseAddress.map { $0 + done }, count, off_t(offset + done))
        }
    }

    /// Reads what was written.
    /// - Throws: ``OutputError/saveFailed(path:errno:freeBytes:)``.
    public func read(at offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
        try transfer(bytes.count) { done, count in
            pread(descriptor, bytes.baseAddress.map { $0 + done }, count, off_t(offset + done))
        }
    }

    private func transfer(_ count: Int, _ body: (Int, Int) -> Int) throws {
        var done = 0
        while done < count {
            let moved = body(done, count - done)
            if moved < 0, errno == EINTR { continue }
            // What was written and is not there any more: the file has been cut by somebody else.
            guard moved > 0 else { throw failure(moved < 0 ? errno : EIO) }
            done += moved
        }
    }

    /// Syncs the file and gives it its name, replacing the file that had it. Called once.
    /// - Throws: ``OutputError/saveFailed(path:errno:freeBytes:)``.
    public func commit() throws {
        guard fsync(descriptor) == 0 else { throw failure(errno) }
        try temporary.withLock { name in
            if name == nil {
                let new = Self.temporaryName(in: url.deletingLastPathComponent())
                guard linkat(AT_FDCWD, Self.path(of: descriptor), AT_FDCWD, new, AT_SYMLINK_FOLLOW) == 0 else {
                    throw failure(errno)
                }
                name = new
            }
            guard let complete = name, rename(complete, url.path) == 0 else { throw failure(errno) }
            name = nil
        }
        let folder = open(url.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure(errno) }
        defer { close(folder) }
        // Some file systems cannot sync a folder and say so with EINVAL.
        guard fsync(folder) == 0 || errno == EINVAL else { throw failure(errno) }
    }

    private func failure(_ code: Int32) -> OutputError { .failure(code, url) }

    // MARK: Names

    private static func temporaryName(in folder: URL) -> String {
        folder.appendingPathComponent(OutputFolder.newTemporaryName()).path
    }

    /// Makes a file without a name (`O_TMPFILE`, which Swift does not import).
    /// - Returns: a descriptor of the caller's own; below 0, with the reason in `errno`, where there is no such file.
    package static func openNameless(in folder: URL, mode: mode_t) -> Int32 {
        open(folder.path, O_RDWR | O_CLOEXEC | O_DIRECTORY | 0o20_000_000, mode)
    }

    /// - Returns: nil where the file system has no files without a name, or none that can get one, which it does by way of
    ///   `/proc`.
    private static func openNameable(in folder: URL) -> Int32? {
        let descriptor = openNameless(in: folder, mode: 0o666)
        guard descriptor >= 0 else { return nil }
        guard access(path(of: descriptor), F_OK) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func path(of descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }
}
