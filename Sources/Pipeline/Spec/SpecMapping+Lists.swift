// Readers of lists. An empty list is never meant, and an element that occurs twice would be computed or counted twice: both
// are faults. What is read has the elements without fault.

extension SpecMapping {
    public func strings(_ key: Key) -> [String] {
        elements(key) { node throws(SpecFault) in try string(node, key) }
    }

    public func strings(_ key: Key, default value: [String]) -> [String] { has(key) ? strings(key) : value }

    /// A list of texts in which one may stand twice, such as a command with its arguments.
    func words(_ key: Key) -> [String] {
        sound(key) { node throws(SpecFault) in try string(node, key) }.map(\.1)
    }

    public func integers(_ key: Key, in range: ClosedRange<Int> = Int.min...Int.max) -> [Int] {
        elements(key) { node throws(SpecFault) in try integer(node, key, range) }
    }

    public func doubles(
        _ key: Key, in range: ClosedRange<Double> = -Double.infinity...Double.infinity
    ) -> [Double] {
        elements(key) { node throws(SpecFault) in try double(node, key, range) }
    }

    /// A list of mappings.
    public func mappings<Nested>(_ key: Key, keys: Nested.Type) -> [SpecMapping<Nested>] {
        nodes(key).enumerated().map { index, node in
            SpecMapping<Nested>(node, name: "\(name(of: key))[\(index)]", of: reader)
        }
    }

    /// A mapping whose keys the reader does not know, with one scalar each, as it is written: `{layer: 9, kind: mlp}`.
    public func texts(_ key: Key) -> [(String, String)] {
        let members: [SpecNode.Member] = value(key, else: []) { node throws(SpecFault) in
            guard case .mapping(let members) = node.content else { throw wrongKind(node, key, .mapping) }
            return members
        }
        return members.compactMap { member in
            guard case .scalar(let text, _) = member.value.content, !text.isEmpty else {
                note(
                    key,
                    failure(
                        member.value,
                        .wrongKind(
                            key: name(of: key) + "." + member.key, expected: .text, found: member.value.valueKind)))
                return nil
            }
            return (member.key, text)
        }
    }

    func elements<Element: Hashable>(
        _ key: Key, _ read: (SpecNode) throws(SpecFault) -> Element
    ) -> [Element] {
        var seen: Set<Element> = []
        return sound(key, read).compactMap { node, element in
            guard seen.insert(element).inserted else {
                var text = "\(element)"
                if case .scalar(let scalar, _) = node.content { text = scalar }
                note(key, failure(node, .duplicateElement(key: name(of: key), value: text)))
                return nil
            }
            return element
        }
    }

    /// The elements that can be read, with where they stand.
    func sound<Element>(
        _ key: Key, _ read: (SpecNode) throws(SpecFault) -> Element
    ) -> [(SpecNode, Element)] {
        nodes(key).compactMap { node in
            do throws(SpecFault) {
                return (node, try read(node))
            } catch {
                note(key, error)
                return nil
            }
        }
    }

    private func nodes(_ key: Key) -> [SpecNode] {
        value(key, else: []) { node throws(SpecFault) in
            guard case .list(let nodes) = node.content else { throw wrongKind(node, key, .list) }
            guard !nodes.isEmpty else { throw failure(node, .emptyList(key: name(of: key))) }
            return nodes
        }
    }
}
