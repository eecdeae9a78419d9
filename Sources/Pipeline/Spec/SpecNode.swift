import Yams

/// A node of a parsed spec: what remains of YAML once anchors, aliases and tags are refused.
struct SpecNode: Sendable {
    var position: SpecPosition
    var content: Content

    enum Content: Sendable {
        /// `isPlain` where the text stands without quotes, so that it can mean more than text.
        case scalar(String, isPlain: Bool)
        case list([SpecNode])
        case mapping([Member])
    }

    struct Member: Sendable {
        var key: String
        var keyPosition: SpecPosition
        var value: SpecNode
    }

    var valueKind: SpecFault.ValueKind {
        switch content {
        case .scalar(let text, let isPlain): isPlain ? PlainScalar.kind(of: text) : .text
        case .list: .list
        case .mapping: .mapping
        }
    }
}

// MARK: - Parsing

extension SpecNode {
    /// - Throws: `SpecError`; `path` serves its message.
    static func parse(_ text: String, path: String) throws(SpecError) -> SpecNode {
        do {
            // Without rules every plain scalar stays text: what it means is decided by the reader
            // that knows which type is wanted.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            // The parser owns the anchors; nodes refer to them weakly.
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else {
                    throw SpecError(path: path, position: nil, kind: .empty)
                }
                return try SpecNode(root, isKey: false, path: path)
            }
        } catch let error as SpecError {
            throw error
        } catch {
            throw SpecError(error, path: path)
        }
    }

    /// Visits nodes in the order of the text, so that an anchor is met before any alias of it and
    /// nothing is ever expanded.
    private init(_ node: Node, isKey: Bool, path: String) throws {
        position = SpecPosition(node.mark)
        guard node.anchor == nil else {
            throw SpecError(path: path, position: position, kind: .anchor)
        }
        if let tag = node.explicitTag(isKey: isKey) {
            throw SpecError(path: path, position: position, kind: .tag(tag))
        }
        switch node {
        case .scalar(let scalar):
            content = .scalar(scalar.string, isPlain: scalar.style == .plain)
        case .sequence(let sequence):
            content = .list(try sequence.map { try SpecNode($0, isKey: false, path: path) })
        case .mapping(let mapping):
            content = .mapping(
                try mapping.map { keyNode, valueNode in
                    guard case .scalar(let scalar) = keyNode else {
                        throw SpecError(
                            path: path, position: SpecPosition(keyNode.mark),
                            kind: .wrongKind(
                                key: "", expected: .text,
                                found: keyNode.mapping == nil ? .list : .mapping))
                    }
                    return Member(
                        key: scalar.string,
                        keyPosition: try SpecNode(keyNode, isKey: true, path: path).position,
                        value: try SpecNode(valueNode, isKey: false, path: path))
                })
        case .alias:
            throw SpecError(path: path, position: position, kind: .anchor)
        }
    }
}

extension Node {
    /// The tag that the text gives the node, nil where it gives none.
    fileprivate func explicitTag(isKey: Bool) -> String? {
        // Quotes make a text of a scalar, and comparing keys resolves theirs: the implied tag
        // reads as if it were written out.
        let (tag, implied): (Tag, Tag.Name?) =
            switch self {
            case .scalar(let scalar): (scalar.tag, isKey || scalar.style != .plain ? .str : nil)
            case .mapping(let mapping): (mapping.tag, nil)
            case .sequence(let sequence): (sequence.tag, nil)
            case .alias(let alias): (alias.tag, nil)
            }
        let name = tag.description
        return name.isEmpty || name == implied?.rawValue ? nil : name
    }
}

extension SpecPosition {
    fileprivate init(_ mark: Mark?) {
        self.init(line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}

extension SpecError {
    fileprivate init(_ error: any Error, path: String) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            self.init(path: path, position: SpecPosition(mark), kind: .syntax(problem: problem))
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                path: path, position: SpecPosition(context.mark), kind: .duplicateKey(duplicates.first ?? ""))
        case .reader(let problem, _, _, _):
            self.init(path: path, position: nil, kind: .syntax(problem: problem))
        default:
            self.init(path: path, position: nil, kind: .syntax(problem: "\(error)"))
        }
    }
}
