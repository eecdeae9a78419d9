import Foundation
import Synchronization

/// What could not be written, as facts.
public enum OutputError: Error, Equatable, Sendable {
    /// A file or folder cannot be written at all; found before any work.
    case cannotWrite(path: String, errno: Int32)
    /// A file could not be saved during the work.
    case saveFailed(path: String, errno: Int32, freeBytes: Int64?)
    /// What stands in the way is not to be touched.
    case refused(path: String, Refusal)

    /// Path of the file or folder that could not be written.
    public var path: String {
        switch self {
        case .cannotWrite(let path, _), .saveFailed(let path, _, _), .refused(let path, _): path
        }
    }

    public enum Refusal: Equatable, Sendable {
        case link
        /// A pipe, a device, or a folder where a file is wanted.
        case notARegularFile
        case notAFolder
        /// It belongs to somebody else, in a folder that everybody may write to.
        case strangers(user: UInt32)
        /// The file has other names, which may lie anywhere.
        case severalNames
    }
}

/// A folder that this program writes to.
///
/// The caller names it, by links or not; everything below it is reached without following a link, and what is there and
/// is neither a regular file nor a folder, or is a stranger's, is refused: whoever can write into the folder cannot have
/// this program write elsewhere. Files appear whole or not at all, whatever happens.
public struct OutputFolder: Sendable, Hashable {
    private let root: URL
    /// Names of the folders from the root to this one.
    private let parts: [String]

    public var url: URL { parts.reduce(root) { $0.appendingPathComponent($1, isDirectory: true) } }

    /// A folder as the caller named it; nothing is made or opened yet.
    public init(_ url: URL) { self.init(root: url, parts: []) }

    private init(root: URL, parts: [String]) { (self.root, self.parts) = (root, parts) }

    /// A folder below this one.
    /// - Parameter path: names of folders, separated by slashes.
    public func folder(_ path: String) -> OutputFolder {
        OutputFolder(root: root, parts: parts + path.split(separator: "/").map(String.init))
    }

    public func file(_ name: String) -> URL { url.appendingPathComponent(name, isDirectory: false) }

    // MARK: Writing

    /// Whether a file of this name is one that a writer of ours has not completed, or what SQLite keeps beside it.
    public static func isTemporary(_ name: String) -> Bool {
        name.wholeMatch(of: /\.clip-lens-[0-9a-z]+-[0-9]+-[0-9]+-[0-9a-z]+-[0-9]+(-.*)?\.part(-journal)?/) != nil
    }

    /// Files that this process has begun: two threads may write the same one.
    private static let files = Atomic(0)

    /// A name that no other file has, of any process.
    /// - Parameter name: the final name, for people who find the file; of a long one the beginning.
    static func newTemporaryName(for name: String = "") -> String {
        var words = name.isEmpty ? Substring() : "-\(name)"[...]
        while words.utf8.count > 100 { words.removeLast() }
        return ".clip-lens-\(ProcessIdentity.current.attempt)-\(files.add(1, ordering: .relaxed).oldValue)\(words).part"
    }

    /// Makes the folder and those above it.
    /// - Throws: ``OutputError``.
    public func make() throws {
        try Self.makeFollowingLinks(root)
        _ = try opened(makes: true)
    }

    /// Checks that files can be made in the folder, which is made where needed.
    /// - Throws: ``OutputError/cannotWrite(path:errno:)``, ``OutputError/refused(path:_:)``.
    public func probe() throws {
        do {
            try Self.makeFollowingLinks(root)
            let folder = try opened(makes: true)
            let name = Self.newTemporaryName(for: "probe")
            close(try folder.new(name).descriptor)
            unlinkat(folder.descriptor, name, 0)
        } catch OutputError.saveFailed(let path, let errno, _) {
            throw OutputError.cannotWrite(path: path, errno: errno)
        }
    }

    /// Writes a file under a name of this attempt alone, syncs, renames, and syncs the folder, which is made where needed
    /// if the one that the caller named is there: when the call returns, the file survives a loss of power; before, its
    /// former version does.
    /// - Throws: ``OutputError``; the temporary file is removed.
    public func write(_ data: Data, as name: String) throws {
        let folder = try opened(makes: true)
        try folder.replace(name) { temporary in
            let file = try folder.new(temporary)
            defer { close(file.descriptor) }
            try file.write(data)
            try file.sync()
        }
    }

    /// Writes a file that the caller named, into a folder that is there, as ``write(_:as:)`` has it.
    /// - Throws: ``OutputError``.
    public static func write(_ data: Data, to file: URL) throws {
        try OutputFolder(file.deletingLastPathComponent()).write(data, as: file.lastPathComponent)
    }

    /// Has `body` make a file under a name of this attempt, which then takes the place of `name` as ``write(_:as:)`` has it.
    /// - Throws: ``OutputError``, and what `body` throws; the temporary file is removed.
    public func replace(_ name: String, _ body: (URL) throws -> Void) throws {
        let folder = try opened(makes: true)
        try folder.replace(name) { temporary in
            try body(file(temporary))
            let made = openat(folder.descriptor, temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard made >= 0 else { throw OutputError.failure(errno, file(name)) }
            defer { close(made) }
            guard fsync(made) == 0 else { throw OutputError.failure(errno, file(name)) }
        }
    }

    /// Opens a file to read and write in place.
    /// - Returns: a descriptor of the caller's own.
    /// - Throws: ``OutputError``, also for a file that has other names.
    func openShared(_ name: String, makes: Bool) throws -> Int32 {
        do {
            return try opened(makes: makes).shared(name, makes: makes)
        } catch OutputError.saveFailed(let path, let errno, _) {
            throw OutputError.cannotWrite(path: path, errno: errno)
        }
    }

    // MARK: Removing

    /// Removes a file, if it is there; of a link, the link.
    /// - Throws: ``OutputError``.
    public func remove(_ name: String) throws {
        guard let folder = try openedIfThere() else { return }
        try folder.remove(name)
    }

    /// Removes the folder with all that is in it, if it is there. A folder stays into which another process puts a file
    /// meanwhile: a second copy of a task, which came too late.
    /// - Throws: ``OutputError``.
    public func remove() throws {
        guard let name = parts.last, let parent = try OutputFolder(root: root, parts: parts.dropLast()).openedIfThere()
        else { return }
        try parent.removeFolder(name)
    }

    /// Removes the files that killed writers left incomplete.
    /// - Throws: ``OutputError``.
    public func removeTemporaries(recursively: Bool) throws {
        try openedIfThere()?.removeTemporaries(recursively: recursively)
    }

    // MARK: Opening

    /// - Parameter makes: makes this folder, and those above it below the root, where they are missing.
    /// - Throws: ``OutputError``.
    private func opened(makes: Bool) throws -> OpenFolder {
        let descriptor = open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw OutputError.failure(errno, root) }
        return try parts.reduce(try OpenFolder(descriptor, root)) { try $0.folder($1, makes: makes) }
    }

    /// Nil where the folder is missing.
    private func openedIfThere() throws -> OpenFolder? {
        do {
            return try opened(makes: false)
        } catch OutputError.saveFailed(_, ENOENT, _) {
            return nil
        }
    }

    /// The way to the root is the caller's own.
    private static func makeFollowingLinks(_ url: URL) throws {
        if mkdir(url.path, 0o777) == 0 { return }
        switch errno {
        case EEXIST:
            var status = stat()
            guard stat(url.path, &status) == 0 else { throw OutputError.failure(errno, url) }
            guard status.st_mode & S_IFMT == S_IFDIR else { throw OutputError.failure(ENOTDIR, url) }
        case ENOENT where url.pathComponents.count > 1:
            try makeFollowingLinks(url.deletingLastPathComponent())
            guard mkdir(url.path, 0o777) == 0 || errno == EEXIST else { throw OutputError.failure(errno, url) }
        default:
            throw OutputError.failure(errno, url)
        }
    }

    /// Whether a file may have been put into a folder by somebody who is not to be trusted: it is neither this process's
    /// user's, nor the system's, nor the folder's owner's, and everybody may write there.
    package static func isStrangers(_ file: stat, in folder: URL) -> Bool {
        var status = stat()
        return stat(folder.path, &status) == 0 && isStrangers(file, in: status, of: status.st_uid)
    }

    static func isStrangers(_ file: stat, in folder: stat, of owner: uid_t) -> Bool {
        ![geteuid(), 0, owner].contains(file.st_uid) && folder.st_mode & S_IWOTH != 0
    }

    /// Bytes that an unprivileged process may still write where a file lies.
    public static func freeBytes(at file: URL) -> Int64? {
        var status = statvfs()
        guard statvfs(file.deletingLastPathComponent().path, &status) == 0 else { return nil }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }
}

extension OutputError {
    static func failure(_ code: Int32, _ url: URL) -> OutputError {
        .saveFailed(path: url.path, errno: code, freeBytes: OutputFolder.freeBytes(at: url))
    }
}
