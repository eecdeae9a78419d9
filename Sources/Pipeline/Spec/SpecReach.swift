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

// Readers of what reaches beyond a spec's folder: the only ones that give a path, a command, an address or options of a
// scheduler. Each notes what it gives, so that nothing is started, sent, passed on or read that `SpecDocument.reach` lacks.

extension SpecMapping {
    /// A path; one that is not absolute begins at the spec's folder, or at `folder`.
    public func file(_ key: Key, in folder: URL? = nil) -> URL {
        let start = folder ?? reader.document.folder
        return value(key, else: start) { node throws(SpecFault) in
            let text = try string(node, key)
            guard !text.isEmpty, !text.utf8.contains(0) else {
                throw failure(node, .invalid(key: name(of: key), reason: "this is no path"))
            }
            let url = URL(fileURLWithPath: text, relativeTo: start).standardizedFileURL
            reader.reach.note(url, in: \.files)
            return url
        }
    }

    public func optionalFile(_ key: Key) -> URL? { has(key) ? file(key) : nil }

    /// A program with its arguments, and under another key the variables that it gets of the user's environment.
    public func program(_ key: Key, variables: Key) -> SpecReach.Program {
        let names =
            has(variables) ? elements(variables) { node throws(SpecFault) in try variableName(node, variables) } : []
        let command = words(key)
        check(
            key, holds: command.first?.isEmpty == false && !command.contains(where: { $0.utf8.contains(0) }),
            "the first word has to be a program, and no word may hold a zero byte")
        let program = SpecReach.Program(command: command, variables: names)
        if isSound(key), isSound(variables) { reader.reach.note(program, in: \.programs) }
        return program
    }

    /// A server that texts are sent to, and under another key the variable that holds the key for it.
    public func address(_ key: Key, keyVariable: Key) -> SpecReach.Address {
        let variable =
            has(keyVariable)
            ? value(keyVariable, else: "") { node throws(SpecFault) in try variableName(node, keyVariable) } : nil
        let address = SpecReach.Address(url: string(key), keyVariable: variable)
        if isSound(key), isSound(keyVariable) { reader.reach.note(address, in: \.addresses) }
        return address
    }

    /// Options that a scheduler gets as they are.
    /// - Parameter problem: why one may not be passed on; nil where it may.
    public func schedulerOptions(_ key: Key, problem: (String) -> String?) -> [String] {
        guard has(key) else { return [] }
        return sound(key) { node throws(SpecFault) in
            let option = try string(node, key)
            if let reason = problem(option) { throw failure(node, .invalid(key: name(of: key), reason: reason)) }
            reader.reach.note(option, in: \.schedulerOptions)
            return option
        }.map(\.1)
    }

    /// The name of an environment variable.
    private func variableName(_ node: SpecNode, _ key: Key) throws(SpecFault) -> String {
        let text = try string(node, key)
        guard text.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil else {
            throw failure(
                node, .invalid(key: name(of: key), reason: "'\(text)' is no name of an environment variable"))
        }
        return text
    }
}
