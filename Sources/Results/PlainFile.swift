import Foundation
import Foundations
import GRDBSQLite
import Synchronization

/// What may stand where a database or its journal does: a regular file, no link; to be written to, one of this user's own.
enum PlainFile {
    /// The names that SQLite gives to a database and to what it keeps beside it begin alike and end so.
    private static let suffixes = ["", "-wal", "-shm", "-journal"]

    /// - Throws: `ResultsError.notAPlainFile` where something else stands in the place of a database or of its journals.
    static func check(_ database: URL) throws {
        for suffix in suffixes {
            let path = database.path + suffix
            var status = stat()
            guard lstat(path, &status) == 0, let found = flaw(of: status, isWritten: true, in: path) else { continue }
            throw ResultsError.notAPlainFile(path: path, found: found)
        }
    }

    /// - Returns: what it is instead; nil for a file that may be used.
    static func flaw(of status: stat, isWritten: Bool, in path: String) -> String? {
        switch status.st_mode & S_IFMT {
        case S_IFREG where isWritten && status.st_nlink > 1: "a file that has other names (hard links), which would be written to, too"
        case S_IFREG:
            isWritten && OutputFolder.isStrangers(status, in: URL(fileURLWithPath: path).deletingLastPathComponent())
                ? "a file of another user, in a folder that everybody may write to" : nil
        case S_IFLNK: "a link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }

    /// Why the last file could not be opened, or written to, which SQLite does not tell; 0 for none.
    static let lastFailure = Mutex<Int32>(0)

    /// Files without a name that SQLite is to find under one, by their descriptors.
    static let nameless = Mutex<[String: Int32]>([:])

    /// Has SQLite open its files without following a link or waiting for what is at the other end of a pipe, and use none
    /// that may not be used: what changes between a check and the opening is refused as well. Made once, on first use.
    static let guardsSQLite: Bool = {
        let open: @convention(c) (UnsafePointer<CChar>?, CInt, CInt) -> CInt = { path, flags, mode in
            guard let path else { return -1 }
            if let file = PlainFile.nameless(path) { return fcntl(file, F_DUPFD_CLOEXEC, 3) }
            let descriptor = Foundation.open(path, flags | O_NOFOLLOW | O_NONBLOCK, mode_t(truncatingIfNeeded: mode))
            guard descriptor >= 0 else {
                let code = errno
                // What is not there is looked for all the time, also after it could not be made.
                if code != ENOENT { PlainFile.lastFailure.withLock { $0 = code } }
                errno = code
                return -1
            }
            var status = stat()
            let isWritten = flags & O_ACCMODE != O_RDONLY
            if fstat(descriptor, &status) == 0 {
                // It also syncs folders, and draws random numbers.
                let isFolder = status.st_mode & S_IFMT == S_IFDIR && !isWritten
                let isAllowed = isFolder || ["/dev/urandom", "/dev/null"].contains(String(cString: path))
                if isAllowed || PlainFile.flaw(of: status, isWritten: isWritten, in: String(cString: path)) == nil { return descriptor }
            }
            close(descriptor)
            PlainFile.lastFailure.withLock { $0 = EINVAL }
            errno = EINVAL
            return -1
        }
        let status: @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<stat>?) -> CInt = { path, status in
            guard let path, let status else { return -1 }
            return PlainFile.nameless(path).map { fstat($0, status) } ?? fstatat(AT_FDCWD, path, status, 0)
        }
        let write: @convention(c) (CInt, UnsafeRawPointer?, Int, off_t) -> Int = { descriptor, bytes, count, offset in
            let written = pwrite(descriptor, bytes, count, offset)
            let code = errno
            if written < 0 { PlainFile.lastFailure.withLock { $0 = code } }
            errno = code
            return written
        }
        guard let system = sqlite3_vfs_find(nil), let set = system.pointee.xSetSystemCall, let find = system.pointee.xGetSystemCall else {
            return false
        }
        // Which of the two it calls hangs on how it was built.
        for name in ["pwrite", "pwrite64"] where find(system, name) != nil {
            guard set(system, name, unsafeBitCast(write, to: sqlite3_syscall_ptr.self)) == SQLITE_OK else { return false }
        }
        return set(system, "open", unsafeBitCast(open, to: sqlite3_syscall_ptr.self)) == SQLITE_OK
            && set(system, "stat", unsafeBitCast(status, to: sqlite3_syscall_ptr.self)) == SQLITE_OK
    }()

    private static func nameless(_ path: UnsafePointer<CChar>) -> Int32? { nameless.withLock { $0.isEmpty ? nil : $0[String(cString: path)] } }
}
