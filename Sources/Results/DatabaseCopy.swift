import Foundation
import Foundations
import Pipeline

/// A private copy of a database and its journals: files that have a name only while SQLite opens them, so that a reader
/// that is killed leaves nothing.
enum DatabaseCopy {
    /// What the main file may lack, by the ends of their names: the journal of a database that somebody writes to, and
    /// what a transaction that was cut off has overwritten.
    static let journals = ["-wal", "-journal"]

    /// - Parameters:
    ///   - path: what errors call the file.
    ///   - folder: where there is room for the copy.
    /// - Throws: `ResultsError.cannotCopy`, `.busy` where it changed whenever it was copied, and what opening throws.
    static func open(_ url: URL, as path: String, in folder: URL) throws -> ResultsDatabase {
        for attempt in 0..<20 {
            if attempt > 0 { usleep(50_000) }
            let marks = try DatabaseMarks(url)
            let sources = try [SourceFile(url)] + journals.map { try SourceFile.ifPresent(url, $0) }
            let room = Room(path: path, folder: folder, needed: sources.reduce(0) { $0 + ($1?.allocated ?? 0) })
            if let free = room.free, free < room.needed { throw room.failure(ENOSPC) }
            let copies = try sources.map { source in try source.map { try NamelessFile(copyOf: $0, room) } }
            // The writer may have moved its journal into the file meanwhile.
            if try DatabaseMarks(url) == marks { return try open(copies, room) }
        }
        throw ResultsError.busy(path: path)
    }

    private static func open(_ copies: [NamelessFile?], _ room: Room) throws -> ResultsDatabase {
        var template = Array(room.folder.appendingPathComponent("clip-lens-XXXXXX").path.utf8CString)
        guard mkdtemp(&template) != nil else { throw room.failure(errno) }
        let folder = URL(fileURLWithPath: String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self), isDirectory: true)
        let main = folder.appendingPathComponent("copy.sqlite")
        let names = ([""] + journals).map { main.path + $0 }
        defer {
            for name in names { unlink(name) }
            rmdir(folder.path)
        }
        for (copy, name) in zip(copies, names) { try copy?.link(name, room) }
        return try ResultsDatabase(ownCopy: main, as: room.path)
    }
}

/// Where a copy of a database goes.
struct Room {
    let path: String
    let folder: URL
    /// Bytes.
    let needed: Int64

    var free: Int64? { OutputFolder.freeBytes(at: folder.appendingPathComponent("copy")) }

    func failure(_ errno: Int32) -> ResultsError {
        .cannotCopy(path: path, folder: folder.path, neededBytes: needed, freeBytes: free, errno: errno)
    }
}

/// A regular file that is read, whatever becomes of its name.
final class SourceFile {
    let descriptor: Int32
    let status: stat
    let path: String

    /// - Throws: `PipelineError.cannotRead`, `ResultsError.notAPlainFile`.
    init(_ url: URL) throws {
        path = url.path
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw PipelineError.cannotRead(path: path, errno: errno) }
        var status = stat()
        let code = fstat(descriptor, &status)
        self.status = status
        guard code == 0 else { throw PipelineError.cannotRead(path: path, errno: errno) }
        if let found = PlainFile.flaw(of: status, isWritten: false) { throw ResultsError.notAPlainFile(path: path, found: found) }
    }

    deinit { close(descriptor) }

    /// A file beside another; nil where there is none, or nothing in it.
    static func ifPresent(_ url: URL, _ suffix: String) throws -> SourceFile? {
        do {
            let file = try SourceFile(URL(fileURLWithPath: url.path + suffix))
            return file.status.st_size > 0 ? file : nil
        } catch PipelineError.cannotRead(_, ENOENT) {
            return nil
        }
    }

    /// The first bytes, as many as there are.
    func beginning(_ count: Int) throws -> Data {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, 0)
        guard read >= 0 else { throw PipelineError.cannotRead(path: path, errno: errno) }
        return Data(bytes.prefix(read))
    }

    /// Bytes that a copy takes; holes take none.
    var allocated: Int64 { min(Int64(status.st_size), Int64(status.st_blocks) * 512) }

    /// Where the kernel is to look for: the next part that is no hole, and the next that is one.
    private static let (data, hole): (Int32, Int32) = (3, 4)

    /// The next part that is no hole, all of it where the file system does not know.
    func part(from offset: off_t) -> Range<off_t>? {
        let begin = lseek(descriptor, offset, Self.data)
        guard begin >= 0 else { return errno == ENXIO || offset >= status.st_size ? nil : offset..<status.st_size }
        guard begin < status.st_size else { return nil }
        let end = lseek(descriptor, begin, Self.hole)
        return begin..<(end > begin ? min(end, status.st_size) : status.st_size)
    }
}

/// A file without a name. On a file system that has none it gets one, which a kill leaves behind.
private final class NamelessFile {
    private let descriptor: Int32
    private var name: String?

    /// - Throws: `ResultsError.cannotCopy`, `.readFailed`.
    init(copyOf source: SourceFile, _ room: Room) throws {
        let withoutName = 0o20_000_000 | O_DIRECTORY
        var descriptor = open(room.folder.path, O_RDWR | O_CLOEXEC | withoutName, 0o600)
        if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR {
            var template = Array(room.folder.appendingPathComponent("clip-lens-XXXXXX").path.utf8CString)
            descriptor = mkstemp(&template)
            name = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw room.failure(errno) }
        guard ftruncate(descriptor, source.status.st_size) == 0 else { throw room.failure(errno) }
        var offset: off_t = 0
        while let part = source.part(from: offset) {
            (offset, _) = (part.lowerBound, lseek(descriptor, part.lowerBound, SEEK_SET))
            while offset < part.upperBound {
                let count = sendfile(descriptor, source.descriptor, &offset, Int(part.upperBound - offset))
                if count < 0, errno == EINTR { continue }
                // Cut by its writer, which the marks show.
                if count == 0 { return }
                guard count > 0 else { throw errno == EIO ? ResultsError.readFailed(path: source.path, errno: EIO) : room.failure(errno) }
            }
        }
    }

    deinit {
        close(descriptor)
        if let name { unlink(name) }
    }

    func link(_ new: String, _ room: Room) throws {
        let code = name.map { rename($0, new) } ?? linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, new, AT_SYMLINK_FOLLOW)
        guard code == 0 else { throw room.failure(errno) }
        name = nil
    }
}
