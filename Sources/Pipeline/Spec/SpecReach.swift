import Foundation
import Synchronization

/// What a spec asks for beyond reading its own folder and computing: programs, addresses, options of a scheduler, files.
public struct SpecReach: Equatable, Sendable {
    /// A program that is started.
    public struct Program: Equatable, Hashable, Sendable {
        /// The program and its arguments.
        public let command: [String]
        /// Names of the environment variables that it gets beside those that every program gets.
        public let variables: [String]
    }

    /// A server that texts are sent to.
    public struct Address: Equatable, Sendable {
        public let url: String
        /// The name of the environment variable whose value goes along as the key; nil for none.
        public let keyVariable: String?
    }

    public internal(set) var programs: [Program] = []
    public internal(set) var addresses: [Address] = []
    public internal(set) var schedulerOptions: [String] = []
    /// Every file and folder whose path the spec has.
    public internal(set) var files: [URL] = []

    /// Those of the files that lie, links resolved, in none of the folders: where they lie.
    public func files(outside folders: [URL]) -> [URL] {
        files.filter { file in !folders.contains(where: file.isInside) }.map(\.withoutLinks)
    }
}

extension URL {
    /// Whether a file, links resolved, is a folder or lies below it.
    public func isInside(_ folder: URL) -> Bool {
        withoutLinks.pathComponents.starts(with: folder.withoutLinks.pathComponents)
    }

    fileprivate var withoutLinks: URL {
        guard let path = realpath(path, nil) else { return standardizedFileURL }
        defer { free(path) }
        return URL(fileURLWithPath: String(cString: path))
    }
}

/// What the readers of one spec have noted so far; all its mappings share it.
final class ReachRecord: Sendable {
    private let noted = Mutex(SpecReach())

    var reach: SpecReach { noted.withLock { $0 } }

    /// A spec may be read more than once: what is noted stands once.
    func note<Value: Equatable>(_ value: Value, in list: WritableKeyPath<SpecReach, [Value]> & Sendable) {
        noted.withLock { reach in
            if !reach[keyPath: list].contains(value) { reach[keyPath: list].append(value) }
        }
    }
}
