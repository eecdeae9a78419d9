import Foundation

/// The YAML text of a spec, parsed with positions.
///
/// ```swift
/// enum Key: String, CaseIterable { case model, layers }
/// let root = try SpecDocument(contentsOf: url).root(keys: Key.self)
/// let layers = try root.integers(.layers, in: 0...23)
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

    /// - Throws: `SpecError`.
    public init(contentsOf url: URL) throws {
        let data: Data
        do {
            // One byte more than the limit shows that there is more.
            data = try readFile(at: url, limit: Self.sizeLimit + 1)
        } catch PipelineError.cannotRead(let path, let errno) {
            throw SpecError(path: path, position: nil, kind: .cannotRead(errno: errno))
        }
        try Self.checkSize(data.count, path: url.path)
        guard let text = String(validating: data, as: UTF8.self) else {
            throw SpecError(path: url.path, position: nil, kind: .notUTF8)
        }
        try self.init(text: text, path: url.path)
    }

    /// Parses a text; `path` serves messages.
    /// - Throws: `SpecError`.
    public init(text: String, path: String) throws {
        try Self.checkSize(text.utf8.count, path: path)
        if let position = Self.excessiveAlias(in: text) {
            throw SpecError(path: path, position: position, kind: .anchor)
        }
        self.path = path
        self.text = text
        digest = Digest.sha256(of: Data(text.utf8))
        rootNode = try SpecNode.parse(text, path: path)
    }

    /// The top-level mapping, whose keys are the cases of `Key`.
    /// - Throws: `SpecError`.
    public func root<Key>(keys: Key.Type) throws -> SpecMapping<Key> {
        try SpecMapping(rootNode, name: "", path: path)
    }

    private static func checkSize(_ bytes: Int, path: String) throws {
        guard bytes <= sizeLimit else {
            throw SpecError(
                path: path, position: nil, kind: .tooLarge(bytes: bytes, limit: sizeLimit))
        }
    }

    /// Where the text has more of what may be aliases than any text with none.
    private static func excessiveAlias(in text: String) -> SpecPosition? {
        var count = 0
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() {
            let isComment = line.first { $0 != UInt8(ascii: " ") } == UInt8(ascii: "#")
            if isComment { continue }
            for (column, pair) in zip(line, line.dropFirst()).enumerated()
            where pair.0 == UInt8(ascii: "*") && pair.1 != UInt8(ascii: " ") {
                count += 1
                if count > aliasLimit { return SpecPosition(line: number + 1, column: column + 1) }
            }
        }
        return nil
    }
}
