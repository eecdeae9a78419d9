import Foundation
import Foundations
import Pipeline

/// The specs that a user lets start programs, send texts and pass options for good: a file with an absolute path a line, of a
/// spec or of a folder with all specs below it, and comments after `#`.
struct AllowedSpecs {
    private let places: [URL]

    /// `clip-lens/allowed` where the user keeps settings.
    static var file: URL {
        let environment = ProcessInfo.processInfo.environment
        let settings = environment["XDG_CONFIG_HOME"].flatMap {
            $0.hasPrefix("/") ? URL(fileURLWithPath: $0, isDirectory: true) : nil
        }
        let home =
            environment["HOME"].map { URL(fileURLWithPath: $0, isDirectory: true) }
            ?? FileManager.default.homeDirectoryForCurrentUser
        return (settings ?? home.appendingPathComponent(".config", isDirectory: true)).appendingPathComponent(
            "clip-lens/allowed")
    }

    /// Where there is no file, nothing is allowed.
    /// - Throws: ``Failure`` for a file that others can write, or that is another's, and for a line that is no absolute path.
    init(contentsOf url: URL) throws {
        let facts: stat
        let bytes: Data
        do {
            let file = try RegularFile(url.path)
            (facts, bytes) = (file.status, try file.contents(limit: 1 << 20))
        } catch .missing {
            places = []
            return
        } catch {
            throw Failure(
                .badData, "\(url.path): cannot be read: \(error.text)",
                fix: "make it a readable file, or give --allow-commands instead")
        }
        guard facts.st_uid == geteuid(), facts.st_mode & 0o022 == 0 else {
            throw Failure(
                .badData, "\(url.path): others can write this file, or it is not yours: it allows nothing",
                fix: "look at what it lists, then: chown \(geteuid()) \(url.path); chmod go-w \(url.path)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        places = try text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated().compactMap {
            index, line in
            let path = line.trimmingCharacters(in: .whitespaces)
            if path.isEmpty || path.hasPrefix("#") { return nil }
            guard path.hasPrefix("/") else {
                throw Failure(
                    .badData, "\(url.path):\(index + 1): expected the absolute path of a spec or a folder",
                    fix: "write the whole path, as `realpath` prints it")
            }
            return URL(fileURLWithPath: path)
        }
    }

    /// Whether the spec, links resolved, is one of them or below one of their folders.
    func contains(_ spec: String) -> Bool { places.contains(where: URL(fileURLWithPath: spec).isInside) }
}
