import Foundation
import Foundations
import Synchronization

/// The YAML text of a spec, parsed with positions.
///
/// ```swift
/// enum Key: String, CaseIterable { case model, layers }
/// let layers = try SpecDocument(contentsOf: url).read { $0.root(keys: Key.self).integers(.layers, in: 0...23) }
/// ```
public struct SpecDocument: Sendable {
    /// Specs are pages of text; anything larger is not a spec.
    public static let sizeLimit = 256 << 10

    /// Aliases are refused, but only a parsed document shows them, and parsing compares keys in
    /// full: a text with enough of them to blow up there is refused before.
    private static let aliasLimit = 16

    public let path: String
    public let text: String
    /// SHA-256 of the text.
    public let digest: String

    private let rootNode: SpecNode
    let record = ReachRecord()

    /// What the spec asks for beyond computing, as far as it has been read.
    public var reach: SpecReach { record.reach }

    /// Of the file, without its extension.
    public var name: String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }

    /// The folder at which its paths begin.
    public var folder: URL { URL(fileURLWithPath: path).deletingLastPathComponent() }

    /// - Throws: `SpecError`.
    public init(contentsOf url: URL) throws(SpecError) {
        let data: Data
        do {
            // One byte more than the limit shows that there is more.
            data = try RegularFile.contents(of: url.path, limit: Self.sizeLimit)
        } catch .tooLarge(let bytes, let limit) {
            throw SpecError(path: url.path, position: nil, kind: .tooLarge(bytes: bytes, limit: limit))
        } catch {
            throw SpecError(path: url.path, position: nil, kind: .cannotRead(error))
        }
        try Self.checkSize(data.count, path: url.path)
        guard let text = String(validating: data, as: UTF8.self) else {
            throw SpecError(path: url.path, position: nil, kind: .notUTF8)
        }
        try self.init(text: text, path: url.path)
    }

    /// Parses a text; `path` serves messages.
    /// - Throws: `SpecError`.
    public init(text: String, path: String) throws(SpecError) {
        try Self.checkSize(text.utf8.count, path: path)
        if let position = Self.excessiveAlias(in: text) {
            throw SpecError(path: path, position: position, kind: .anchor)
        }
        self.path = path
        self.text = text
        digest = Digest.sha256(of: Data(text.utf8))
        rootNode = try SpecNode.parse(text, path: path)
    }

    /// Reads the whole spec: `body` gets a reader that notes every fault and goes on.
    /// - Throws: `SpecError` with all of them, where there is any; what `body` returned is dropped then.
    public func read<Value>(_ body: (SpecReader) -> Value) throws(SpecError) -> Value {
        let reader = SpecReader(self, root: rootNode, reach: record)
        let value = body(reader)
        let faults = reader.faults
        guard faults.isEmpty else { throw SpecError(faults) }
        return value
    }

    /// The name under one top-level key, read before it is known which other keys there may be.
    /// - Throws: `SpecError`, also where the name is not among `choices`.
    public func name(under key: String, among choices: [String]) throws(SpecError) -> String {
        guard case .mapping(let members) = rootNode.content else {
            throw SpecError(
                path: path, position: rootNode.position,
                kind: .wrongKind(key: "", expected: .mapping, found: rootNode.valueKind))
        }
        guard let value = members.first(where: { $0.key == key })?.value else {
            throw SpecError(path: path, position: rootNode.position, kind: .missingKey(key))
        }
        guard case .scalar(let text, _) = value.content, value.valueKind == .text else {
            throw SpecError(
                path: path, position: value.position,
                kind: .wrongKind(key: key, expected: .text, found: value.valueKind))
        }
        guard choices.contains(text) else {
            throw SpecError(
                path: path, position: value.position,
                kind: .unknownChoice(
                    key: key, value: text, suggestion: nearestName(to: text, among: choices), choices: choices))
        }
        return text
    }

    private static func checkSize(_ bytes: Int, path: String) throws(SpecError) {
        guard bytes <= sizeLimit else {
            throw SpecError(
                path: path, position: nil, kind: .tooLarge(bytes: bytes, limit: sizeLimit))
        }
    }

    /// The place of the first of what may be aliases beyond the limit: `*name` where a value can
    /// begin. Text may look so too, but hardly that often.
    private static func excessiveAlias(in text: String) -> SpecPosition? {
        var count = 0
        for (number, line) in text.split(separator: /\r?\n|\r/, omittingEmptySubsequences: false)
            .enumerated()
        {
            for match in line.matches(of: /(?:^|[\s\[\{,:])(\*)[0-9A-Za-z_\-]/) {
                count += 1
                guard count > aliasLimit else { continue }
                let column = line[..<match.1.startIndex].unicodeScalars.count + 1
                return SpecPosition(line: number + 1, column: column)
            }
        }
        return nil
    }
}

/// Reads one spec and notes its faults, so that all are told at once.
///
/// What reads a faulty value gets one of the right type in its place and goes on; `SpecDocument.read(_:)` lets none of
/// these out. What compares several values does so through `SpecMapping.check`, which leaves alone those in whose place
/// something else stands.
public final class SpecReader: Sendable {
    let document: SpecDocument
    let reach: ReachRecord
    private let root: SpecNode
    private let noted = Mutex<[(key: String, fault: SpecFault)]>([])

    /// The key of every spec that says where and with how much to compute: no number depends on it.
    private static let siteKey = "slurm"

    init(_ document: SpecDocument, root: SpecNode, reach: ReachRecord) {
        (self.document, self.root, self.reach) = (document, root, reach)
    }

    /// The top-level mapping, whose keys are the cases of `Key`.
    /// - Parameter others: keys that other mappings read from the same text.
    public func root<Key>(keys: Key.Type, besides others: [String] = []) -> SpecMapping<Key> {
        SpecMapping(root, name: "", of: self, besides: others + [Self.siteKey])
    }

    /// The mapping under the key that says where and with how much to compute; nil where there is none.
    public func site<Key>(keys: Key.Type) -> SpecMapping<Key>? {
        guard case .mapping(let members) = root.content,
            let node = members.first(where: { $0.key == Self.siteKey })?.value
        else { return nil }
        return SpecMapping(node, name: Self.siteKey, of: self)
    }

    /// In the order of the text.
    var faults: [SpecFault] {
        noted.withLock { $0.map(\.fault) }.sorted {
            guard let first = $0.position, let second = $1.position else { return $0.position == nil }
            return (first.line, first.column) < (second.line, second.column)
        }
    }

    /// A key may be read more than once: its first fault stands.
    /// - Parameter key: as the keys that lead to it.
    func note(_ key: String, _ fault: SpecFault) {
        noted.withLock { noted in
            if !noted.contains(where: { $0.key == key && $0.fault.position == fault.position }) {
                noted.append((key, fault))
            }
        }
    }

    /// Whether nothing is wrong with the value of a key, nor with what is in it.
    func isSound(_ key: String) -> Bool {
        noted.withLock { noted in
            !noted.contains { $0.key == key || $0.key.hasPrefix(key + ".") || $0.key.hasPrefix(key + "[") }
        }
    }
}
