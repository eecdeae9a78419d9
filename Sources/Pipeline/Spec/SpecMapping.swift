/// A mapping of a spec, read key by key into the wanted types.
///
/// The keys are the cases of an enumeration, so that reader and check cannot drift apart: a key of
/// the text that is no case is refused, with the case that was probably meant.
public struct SpecMapping<Key: RawRepresentable & CaseIterable & Sendable>: Sendable
where Key.RawValue == String {
    let document: SpecDocument
    var path: String { document.path }
    /// Where the mapping stands, as the keys that lead to it: `fit.` for the mapping of `fit`.
    let prefix: String
    public let position: SpecPosition

    private let members: [String: SpecNode.Member]

    /// - Parameter others: keys that another mapping reads from the same text.
    init(_ node: SpecNode, name: String, of document: SpecDocument, besides others: [String] = []) throws {
        guard case .mapping(let list) = node.content else {
            throw SpecError(
                path: document.path, position: node.position,
                kind: .wrongKind(key: name, expected: .mapping, found: node.valueKind))
        }
        self.document = document
        prefix = name.isEmpty ? "" : name + "."
        position = node.position

        let known = Key.allCases.map(\.rawValue) + others
        var members: [String: SpecNode.Member] = [:]
        for member in list {
            guard known.contains(member.key) else {
                throw SpecError(
                    path: document.path, position: member.keyPosition,
                    kind: .unknownKey(
                        member.key, suggestion: nearestName(to: member.key, among: known),
                        known: known))
            }
            members[member.key] = member
        }
        self.members = members
    }

    /// Whether the text has the key.
    public func has(_ key: Key) -> Bool {
        members[key.rawValue] != nil
    }

    /// An error at the value of `key`, for values that only the caller can judge.
    public func invalid(_ key: Key, _ reason: String) -> SpecError { place(of: key).invalid(reason) }

    /// Where the value of `key` stands, or the mapping without it, for what turns out after the spec is read.
    public func place(of key: Key) -> SpecPlace {
        SpecPlace(path: path, position: members[key.rawValue]?.value.position ?? position, key: name(of: key))
    }

    func name(of key: Key) -> String { prefix + key.rawValue }

    func optionalNode(_ key: Key) -> SpecNode? { members[key.rawValue]?.value }

    func node(_ key: Key) throws -> SpecNode {
        guard let node = optionalNode(key) else {
            throw SpecError(path: path, position: position, kind: .missingKey(name(of: key)))
        }
        return node
    }

    func failure(_ node: SpecNode, _ kind: SpecError.Kind) -> SpecError {
        SpecError(path: path, position: node.position, kind: kind)
    }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
    /// The keys of a mapping, for others that read the same text.
    public static var names: [String] { allCases.map(\.rawValue) }
}
