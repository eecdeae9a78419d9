// Readers of lists. Each throws `SpecError`: an empty list is never meant, and an element that
// occurs twice would be computed or counted twice.

extension SpecMapping {
    public func strings(_ key: Key) throws -> [String] {
        try elements(of: node(key), key) { try string($0, key) }
    }

    public func strings(_ key: Key, default value: [String]) throws -> [String] {
        has(key) ? try strings(key) : value
    }

    /// A list of texts in which one may stand twice, such as a command with its arguments.
    func words(_ key: Key) throws -> [String] {
        try nodes(of: node(key), key).map { try string($0, key) }
    }

    public func integers(
        _ key: Key, in range: ClosedRange<Int> = Int.min...Int.max
    ) throws -> [Int] {
        try elements(of: node(key), key) { try integer($0, key, range) }
    }

    public func integers(
        _ key: Key, in range: ClosedRange<Int> = Int.min...Int.max, default value: [Int]
    ) throws -> [Int] {
        has(key) ? try integers(key, in: range) : value
    }

    public func doubles(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) throws -> [Double] {
        try elements(of: node(key), key) { try double($0, key, range) }
    }

    /// Some of the cases of an enumeration, by their raw values.
    public func choices<Choice>(_ key: Key, of type: Choice.Type = Choice.self) throws -> [Choice]
    where Choice: RawRepresentable & CaseIterable & Hashable, Choice.RawValue == String {
        try elements(of: node(key), key) { try choice($0, key) }
    }

    public func choices<Choice>(_ key: Key, default value: [Choice]) throws -> [Choice]
    where Choice: RawRepresentable & CaseIterable & Hashable, Choice.RawValue == String {
        has(key) ? try choices(key) : value
    }

    /// A list of mappings.
    public func mappings<Nested>(_ key: Key, keys: Nested.Type) throws -> [SpecMapping<Nested>] {
        try nodes(of: node(key), key).enumerated().map { index, node in
            try SpecMapping<Nested>(node, name: "\(name(of: key))[\(index)]", of: document)
        }
    }

    private func elements<Element: Hashable>(
        of node: SpecNode, _ key: Key, _ read: (SpecNode) throws -> Element
    ) throws -> [Element] {
        var seen: Set<Element> = []
        return try nodes(of: node, key).map { node in
            let element = try read(node)
            guard seen.insert(element).inserted else {
                var text = "\(element)"
                if case .scalar(let scalar, _) = node.content { text = scalar }
                throw failure(node, .duplicateElement(key: name(of: key), value: text))
            }
            return element
        }
    }

    private func nodes(of node: SpecNode, _ key: Key) throws -> [SpecNode] {
        guard case .list(let nodes) = node.content else { throw wrongKind(node, key, .list) }
        guard !nodes.isEmpty else { throw failure(node, .emptyList(key: name(of: key))) }
        return nodes
    }
}

extension SpecMapping {
    /// A mapping whose keys the reader does not know, with one scalar each, as it is written: `{layer: 9, kind: mlp}`.
    public func texts(_ key: Key) throws -> [(String, String)] {
        let node = try node(key)
        guard case .mapping(let members) = node.content else { throw wrongKind(node, key, .mapping) }
        return try members.map { member in
            guard case .scalar(let text, _) = member.value.content, !text.isEmpty else {
                throw failure(
                    member.value,
                    .wrongKind(key: name(of: key) + "." + member.key, expected: .text, found: member.value.valueKind))
            }
            return (member.key, text)
        }
    }
}
