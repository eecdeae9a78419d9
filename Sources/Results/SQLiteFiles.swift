import Foundation
import Foundations
import GRDBSQLite
import Synchronization

/// How SQLite opens its files, which GRDB has no way to say: without following a link, without waiting for what is at the
/// other end of a pipe, and none that may not be used. What changes between ``PlainFile/check(_:)`` and the opening is
/// refused as well.
enum SQLiteFiles {
    /// Why the last file could not be opened, or written to, which SQLite does not tell; 0 for none.
    static let lastFailure = Mutex<Int32>(0)

    /// Files without a name that SQLite is to find under one, by their descriptors.
    static let nameless = Mutex<[String: Int32]>([:])

    /// Whether SQLite has been told. Done once, on first use.
    static let areGuarded: Bool = {
        guard let system = sqlite3_vfs_find(nil), let set = system.pointee.xSetSystemCall,
            let find = system.pointee.xGetSystemCall
        else {
            return false
        }
        func tell(_ name: String, _ function: sqlite3_syscall_ptr) -> Bool { set(system, name, function) == SQLITE_OK }
        // Which of the two it calls to write hangs on how it was built.
        return tell("open", unsafeBitCast(open, to: sqlite3_syscall_ptr.self))
            && tell("stat", unsafeBitCast(status, to: sqlite3_syscall_ptr.self))
            && ["pwrite", "pwrite64"].allSatisfy { name in
                find(system, name) == nil || tell(name, unsafeBitCast(write, to: sqlite3_syscall_ptr.self))
            }
    }()

    private static let open: @convention(c) (UnsafePointer<CChar>?, CInt, CInt) -> CInt = { path, flags, mode in
        guard let path else { return -1 }
        if let file = SQLiteFiles.nameless(path) { return fcntl(file, F_DUPFD_CLOEXEC, 3) }
        let descriptor = Foundation.open(path, flags | O_NOFOLLOW | O_NONBLOCK, mode_t(truncatingIfNeeded: mode))
        guard descriptor >= 0 else {
            let code = errno
            // What is not there is looked for all the time, also after it could not be made.
            if code != ENOENT { SQLiteFiles.lastFailure.withLock { $0 = code } }
            errno = code
            return -1
        }
        var status = stat()
        let isWritten = flags & O_ACCMODE != O_RDONLY
        if fstat(descriptor, &status) == 0 {
            // It also syncs folders, and draws random numbers.
            let isFolder = status.st_mode & S_IFMT == S_IFDIR && !isWritten
            let isAllowed = isFolder || ["/dev/urandom", "/dev/null"].contains(String(cString: path))
            if isAllowed || PlainFile.flaw(of: status, isWritten: isWritten, in: String(cString: path)) == nil {
                return descriptor
            }
        }
        close(descriptor)
        SQLiteFiles.lastFailure.withLock { $0 = EINVAL }
        errno = EINVAL
        return -1
    }

    private static let status: @convention(c) (UnsafePointer<CChar>?, UnsafeMutablePointer<stat>?) -> CInt = {
        path, status in
        guard let path, let status else { return -1 }
        return SQLiteFiles.nameless(path).map { fstat($0, status) } ?? fstatat(AT_FDCWD, path, status, 0)
    }

    private static let write: @convention(c) (CInt, UnsafeRawPointer?, Int, off_t) -> Int = {
        descriptor, bytes, count, offset in
        let written = pwrite(descriptor, bytes, count, offset)
        let code = errno
        if written < 0 { SQLiteFiles.lastFailure.withLock { $0 = code } }
        errno = code
        return written
    }

    private static func nameless(_ path: UnsafePointer<CChar>) -> Int32? {
        nameless.withLock { $0.isEmpty ? nil : $0[String(cString: path)] }
    }
}

/// What may stand where a database or its journal does: a regular file, no link; to be written to, one without other names
/// that is not a stranger's.
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
        case S_IFREG where isWritten && status.st_nlink > 1:
            "a file that has other names (hard links), which would be written to, too"
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
}
