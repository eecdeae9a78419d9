import Foundation

/// A file that processes agree by. Its locks are the kernel's (`flock`): they end with their owner, however that ends, and
/// nothing is ever left to be removed.
package final class LockFile: Sendable {
    package let path: String
    private let descriptor: Int32

    /// Opens a file of an output folder.
    /// - Parameter makes: makes it where there is none.
    /// - Throws: ``OutputError``: `.cannotWrite` with `ENOENT` where there is none and none is to be made.
    package init(_ name: String, in folder: OutputFolder, makes: Bool = true) throws {
        path = folder.file(name).path
        descriptor = try folder.openShared(name, makes: makes)
    }

    deinit { close(descriptor) }

    /// Whether the lock could be had; whoever has it keeps it until the file is closed.
    /// - Parameter shared: beside others that share it.
    /// - Throws: ``OutputError/cannotWrite(path:errno:)``.
    package func tryLock(shared: Bool = false) throws -> Bool {
        if flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw OutputError.cannotWrite(path: path, errno: errno) }
        return false
    }

    /// Whether the path still leads to this file: somebody may have removed it, and another process then locks another.
    package var isInPlace: Bool {
        var mine = stat()
        return fstat(descriptor, &mine) == 0 && FileIdentity(path) == FileIdentity(mine)
    }

    /// What its holder says.
    package var text: Data {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return Data(bytes.prefix(max(0, count)))
    }

    /// Only a help for others: that the lock is held does not depend on it.
    /// - Returns: whether it could be written.
    @discardableResult package func say(_ text: Data) -> Bool {
        ftruncate(descriptor, 0) == 0
            && text.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) } == text.count
    }
}
