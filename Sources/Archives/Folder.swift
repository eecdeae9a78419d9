import Foundation
import Foundations

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

/// Lists a folder, and refuses what leads out of it.
struct FolderListing {
    let location: String
    let limits: ArchiveLimits
    private var files: [String] = []

    init(location: String, limits: ArchiveLimits) {
        self.location = location
        self.limits = limits
    }

    /// Paths of all files, relative to the folder, in no particular order.
    /// - Throws: `ArchiveError`.
    mutating func read() throws -> [String] {
        guard let root = Self.resolved(location) else {
            throw ArchiveError.cannotRead(path: location, FileFault(errno: errno))
        }
        // Folders that are still to be read, relative and with a slash: no stack frame a level.
        var waiting = [""]
        while let folder = waiting.popLast() {
            try read(folder, root: root, waiting: &waiting)
        }
        return files
    }

    private mutating func read(_ folder: String, root: String, waiting: inout [String]) throws {
        let path = location + "/" + folder
        guard let stream = opendir(path) else { throw ArchiveError.cannotRead(path: path, FileFault(errno: errno)) }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                guard errno == 0 else { throw ArchiveError.cannotRead(path: path, FileFault(errno: errno)) }
                return
            }
            let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name == [0x2E] || name == [0x2E, 0x2E] { continue }
            guard let text = String(validating: name, as: UTF8.self) else {
                throw refusal(.nameNotUTF8, folder + String(decoding: name, as: UTF8.self))
            }
            let child = folder + text
            guard child.utf8.count <= ArchiveLimits.nameBytes else {
                throw refusal(.nameTooLong(bytes: child.utf8.count), child)
            }
            guard files.count + waiting.count < limits.entryCount else {
                throw refusal(.tooManyEntries(limit: limits.entryCount), child)
            }
            // Some file systems leave the kind of an entry to lstat.
            switch Int32(entry.pointee.d_type) {
            case Int32(DT_REG): files.append(child)
            case Int32(DT_DIR): waiting.append(child + "/")
            default: try add(child, root: root, waiting: &waiting)
            }
        }
    }

    private mutating func add(_ child: String, root: String, waiting: inout [String]) throws {
        let path = location + "/" + child
        var status = stat()
        guard lstat(path, &status) == 0 else { throw ArchiveError.cannotRead(path: path, FileFault(errno: errno)) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: files.append(child)
        case S_IFDIR: waiting.append(child + "/")
        case S_IFLNK:
            // Byte by byte: strings that Unicode holds to be equal name different folders.
            let inside = root == "/" ? root : root + "/"
            guard let target = Self.resolved(path), target.utf8.starts(with: inside.utf8),
                stat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG
            else { throw refusal(.symbolicLink, child) }
            files.append(child)
        default: throw refusal(.device, child)
        }
    }

    private func refusal(_ defect: ArchiveDefect, _ entry: String) -> ArchiveError {
        .refusedInFolder(location: location, entry: entry, defect: defect)
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
