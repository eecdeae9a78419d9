import Foundation

/// The files of a folder and of the folders in it, ordered by the bytes of their paths.
///
/// A symbolic link to a file of the folder counts as that file. Links that lead out of the folder and
/// links to folders are refused, as are devices, pipes and names that are not UTF-8.
public final class Folder: FileCollection {
    public let location: String
    private let paths: [String]
    private let limits: ArchiveLimits

    public var count: Int { paths.count }

    /// Lists a folder.
    /// - Throws: `ArchiveError`.
    public init(path: String, limits: ArchiveLimits = .standard) throws {
        location = path
        self.limits = limits
        var listing = FolderListing(location: path, limits: limits)
        paths = try listing.read().sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func path(of file: Int) -> String { paths[file] }

    public func file(at path: String) -> Int? {
        let file = firstFile(notBefore: path)
        return file < paths.count && paths[file].utf8.elementsEqual(path.utf8) ? file : nil
    }

    public func files(under folder: String) -> [Int] {
        let prefix = folder.isEmpty ? "" : folder + "/"
        let first = firstFile(notBefore: prefix)
        return Array(first..<first + paths[first...].prefix { $0.utf8.starts(with: prefix.utf8) }.count)
    }

    private func firstFile(notBefore path: String) -> Int {
        var (low, high) = (0, paths.count)
        while low < high {
            let middle = (low + high) / 2
            if paths[middle].utf8.lexicographicallyPrecedes(path.utf8) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    public func size(of file: Int) throws -> Int {
        try open(file).size
    }

    public func contents(of file: Int) throws -> [UInt8] {
        let opened = try open(file)
        guard opened.size <= limits.entryBytes else {
            throw ArchiveError.refusedInFolder(
                location: location, entry: paths[file], defect: .tooLarge(bytes: opened.size, limit: limits.entryBytes))
        }
        return try opened.bytes(0..<opened.size)
    }

    private func open(_ file: Int) throws -> RandomAccessFile {
        try RandomAccessFile(path: location + "/" + paths[file])
    }
}
