import Foundation
import Pipeline

/// The specs that a user lets start programs, send texts and pass options for good: a file with an absolute path a line, of a
/// spec or of a folder with all specs below it, and comments after `#`.
struct AllowedSpecs {
    private let places: [URL]

    /// `clip-lens/allowed` where the user keeps settings.
    static var file: URL {
        let environment = ProcessInfo.processInfo.environment
        let settings = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil }
        let home = environment["HOME"].map { URL(fileURLWithPath: $0, isDirectory: true) } ?? FileManager.default.homeDirectoryForCurrentUser
        return (settings ?? home.appendingPathComponent(".config", isDirectory: true)).appendingPathComponent("clip-lens/allowed")
    }

    /// Where there is no file, nothing is allowed.
    /// - Throws: ``Failure`` for a file that others can write, or that is another's, and for a line that is no absolute path.
    init(contentsOf url: URL) throws {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard [ENOENT, ENOTDIR].contains(errno) else {
                throw Failure(.inputMissing, "\(url.path): cannot be read: \(String(cString: strerror(errno)))", fix: "make it readable, or give --allow-commands instead")
            }
            places = []
            return
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG, facts.st_uid == geteuid(), facts.st_mode & 0o022 == 0 else {
            throw Failure(
                .badData, "\(url.path): others can write this file, or it is not yours: it allows nothing",
                fix: "look at what it lists, then: chown \(geteuid()) \(url.path); chmod go-w \(url.path)")
        }
        let text = String(decoding: (try? handle.read(upToCount: 1 << 20)) ?? Data(), as: UTF8.self)
        places = try text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().compactMap { index, line in
            let path = line.trimmingCharacters(in: .whitespaces)
            if path.isEmpty || path.hasPrefix("#") { return nil }
            guard path.hasPrefix("/") else {
                throw Failure(.badData, "\(url.path):\(index + 1): expected the absolute path of a spec or a folder", fix: "write the whole path, as `realpath` prints it")
            }
            return URL(fileURLWithPath: path)
        }
    }

    /// Whether the spec, links resolved, is one of them or below one of their folders.
    func contains(_ spec: String) -> Bool { places.contains(where: URL(fileURLWithPath: spec).isInside) }
}
