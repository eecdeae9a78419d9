import Foundation
import Foundations
import Pipeline

/// A private copy of a database and its journals: files that have no name, so that a reader that is killed leaves nothing.
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
            let copies = try sources.map { try NamelessFile(copyOf: $0, room) }
            // The writer may have moved its journal into the file meanwhile.
            if try DatabaseMarks(url) == marks { return try open(copies, room) }
        }
        throw ResultsError.busy(path: path)
    }

    private static func open(_ copies: [NamelessFile], _ room: Room) throws -> ResultsDatabase {
        // Nobody makes a file of this name, in a folder whose path is no link: SQLite gets the files by their descriptors.
        let main = URL(fileURLWithPath: "/clip-lens-\(UUID().uuidString)")
        let files = zip([""] + journals, copies).map { (main.path + $0, $1.descriptor) }
        SQLiteFiles.nameless.withLock { $0.merge(files) { $1 } }
        defer { SQLiteFiles.nameless.withLock { nameless in files.forEach { nameless[$0.0] = nil } } }
        return try withExtendedLifetime(copies) { try ResultsDatabase(ownCopy: main, as: room.path) }
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
    private let file: RegularFile
    var descriptor: Int32 { file.descriptor }
    var status: stat { file.status }
    var path: String { file.path }

    /// - Throws: `PipelineError.cannotRead`, `ResultsError.notAPlainFile`.
    init(_ url: URL) throws {
        do {
            file = try RegularFile(url.path)
        } catch {
            switch error {
            case .missing, .system: throw PipelineError.cannotRead(path: url.path, error)
            default: throw ResultsError.notAPlainFile(path: url.path, found: error.text)
            }
        }
    }

    /// A file beside another; nil where there is none, or nothing in it.
    static func ifPresent(_ url: URL, _ suffix: String) throws -> SourceFile? {
        do {
            let file = try SourceFile(URL(fileURLWithPath: url.path + suffix))
            return file.status.st_size > 0 ? file : nil
        } catch PipelineError.cannotRead(_, .missing) {
            return nil
        }
    }

    /// The first bytes, as many as there are.
    func beginning(_ count: Int) throws -> Data {
        var bytes = [UInt8](repeating: 0, count: count)
        do {
            let read = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            return Data(bytes.prefix(read))
        } catch let fault as FileFault {
            throw PipelineError.cannotRead(path: path, fault)
        }
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

/// A file without a name.
private final class NamelessFile {
    let descriptor: Int32

    /// - Parameter source: nil for an empty file.
    /// - Throws: `ResultsError.cannotCopy`, `.readFailed`.
    init(copyOf source: SourceFile?, _ room: Room) throws {
        var descriptor = PendingFile.openNameless(in: room.folder, mode: 0o600)
        if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR {
            var template = Array(room.folder.appendingPathComponent("clip-lens-XXXXXX").path.utf8CString)
            // A file system that has none: it has one for this moment.
            descriptor = mkstemp(&template)
            if descriptor >= 0 {
                unlink(template)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            }
        }
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw room.failure(errno) }
        guard let source else { return }
        guard ftruncate(descriptor, source.status.st_size) == 0 else { throw room.failure(errno) }
        var offset: off_t = 0
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while let part = source.part(from: offset) {
            offset = part.lowerBound
            while offset < part.upperBound {
                let count = pread(source.descriptor, &buffer, min(buffer.count, Int(part.upperBound - offset)), offset)
                if count < 0, errno == EINTR { continue }
                guard count >= 0 else { throw ResultsError.readFailed(path: source.path, errno: errno) }
                // Cut by its writer, which the marks show.
                if count == 0 { return }
                var written = 0
                while written < count {
                    let step = buffer.withUnsafeBytes {
                        pwrite(
                            descriptor, $0.baseAddress.map { $0 + written }, count - written, offset + off_t(written))
                    }
                    if step < 0, errno == EINTR { continue }
                    guard step >= 0 else { throw room.failure(errno) }
                    written += step
                }
                offset += off_t(count)
            }
        }
    }

    deinit { close(descriptor) }
}
