import Foundation
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
            guard lstat(path, &status) == 0, let found = flaw(of: status, isWritten: true) else { continue }
            throw ResultsError.notAPlainFile(path: path, found: found)
        }
    }

    /// - Returns: what it is instead; nil for a file that may be used.
    static func flaw(of status: stat, isWritten: Bool, by user: uid_t = geteuid()) -> String? {
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            // Root does work for others, such as in a container.
            isWritten && ![status.st_uid, 0].contains(user) ? "a file of another user" : nil
        case S_IFLNK: "a link"
        case S_IFDIR: "a folder"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        default: "a device"
        }
    }

    /// Why the last file could not be opened, which SQLite does not tell; 0 for none.
    static let lastFailure = Mutex<Int32>(0)

    /// Has SQLite open its files without following a link or waiting for what is at the other end of a pipe, and use none
    /// that may not be used: what changes between a check and the opening is refused as well. Made once, on first use.
    static let guardsSQLite: Bool = {
        let open: @convention(c) (UnsafePointer<CChar>?, CInt, CInt) -> CInt = { path, flags, mode in
            guard let path else { return -1 }
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
                let isAllowed = isFolder || strcmp(path, "/dev/urandom") == 0
                if isAllowed || PlainFile.flaw(of: status, isWritten: isWritten) == nil { return descriptor }
            }
            close(descriptor)
            errno = EINVAL
            return -1
        }
        guard let system = sqlite3_vfs_find(nil), let set = system.pointee.xSetSystemCall else { return false }
        return set(system, "open", unsafeBitCast(open, to: sqlite3_syscall_ptr.self)) == SQLITE_OK
    }()
}
