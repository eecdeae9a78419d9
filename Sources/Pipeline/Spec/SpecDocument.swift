import Foundation
import Foundations

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
