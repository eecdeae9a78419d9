import Foundation

/// Files under paths, whether they lie in a folder or in an archive.
///
/// Files are numbered from 0; a path has its parts separated by `/` and is relative to the folder or
/// archive. Reading is safe from several threads at once.
public protocol FileCollection: Sendable {
    /// Path of the folder or archive.
    var location: String { get }
    var count: Int { get }
    func path(of file: Int) -> String
    /// The number of the file under `path`, compared byte by byte.
    func file(at path: String) -> Int?
    /// The files whose paths begin with `folder` and a slash (all for an empty `folder`), ordered by the
    /// bytes of their paths.
    func files(under folder: String) -> [Int]
    /// Size in bytes.
    /// - Throws: `ArchiveError`.
    func size(of file: Int) throws -> Int
    /// All bytes of a file.
    /// - Throws: `ArchiveError`; `OutputError` where a compressed tar has no room in the temporary folder.
    func contents(of file: Int) throws -> [UInt8]
    /// Calls `body` with each wanted file and its bytes, in the order in which they lie.
    /// - Throws: `ArchiveError`, and what the closures throw.
    func forEach(
        where isWanted: (Int) throws -> Bool, _ body: (Int, [UInt8]) throws -> Void
    ) throws
}

extension FileCollection {
    /// All bytes of the file under `path`.
    /// - Throws: `ArchiveError.noSuchFile` and others.
    public func contents(at path: String) throws -> [UInt8] {
        guard let file = file(at: path) else {
            throw ArchiveError.noSuchFile(location: location, path: path)
        }
        return try contents(of: file)
    }

    /// All files, ordered by the bytes of their paths.
    public func files() -> [Int] { files(under: "") }

    public func forEach(
        where isWanted: (Int) throws -> Bool, _ body: (Int, [UInt8]) throws -> Void
    ) throws {
        for file in 0..<count where try isWanted(file) {
            try body(file, contents(of: file))
        }
    }
}

/// Opens a folder or an archive.
/// - Throws: `ArchiveError`.
public func openFiles(at path: String, limits: ArchiveLimits = .standard) throws -> any FileCollection {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
        return try Folder(path: path, limits: limits)
    }
    return try Archive(path: path, limits: limits)
}
