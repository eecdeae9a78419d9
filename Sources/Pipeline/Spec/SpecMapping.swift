/// A mapping of a spec, read key by key into the wanted types.
///
/// The keys are the cases of an enumeration, so that reader and check cannot drift apart: a key of
/// the text that is no case is refused, with the case that was probably meant.
public struct SpecMapping<Key: RawRepresentable & CaseIterable & Sendable>: Sendable
where Key.RawValue == String {
    let reader: SpecReader
    var path: String { reader.document.path }
    /// Where the mapping stands, as the keys that lead to it: `fit.` for the mapping of `fit`.
    let prefix: String
    public let position: SpecPosition

    /// Nil in the place of what is no mapping, of which nothing more is said.
    private let members: [String: SpecNode.Member]?

    /// - Parameter others: keys that another mapping reads from the same text.
    init(_ node: SpecNode, name: String, of reader: SpecReader, besides others: [String] = []) {
        self.reader = reader
        prefix = name.isEmpty ? "" : name + "."
        position = node.position
        let path = reader.document.path
        guard case .mapping(let list) = node.content else {
            reader.note(
                name,
                SpecFault(
                    path: path, position: node.position,
                    kind: .wrongKind(key: name, expected: .mapping, found: node.valueKind)))
            members = nil
            return
        }
        let known = Key.allCases.map(\.rawValue) + others
        var members: [String: SpecNode.Member] = [:]
        for member in list {
            if known.contains(member.key) {
                members[member.key] = member
            } else {
                reader.note(
                    prefix + member.key,
                    SpecFault(
                        path: path, position: member.keyPosition,
                        kind: .unknownKey(
                            member.key, suggestion: nearestName(to: member.key, among: known), known: known)))
            }
        }
        self.members = members
    }

    /// What stands in the place of a mapping that is not there.
    init(missing key: String, at position: SpecPosition, of reader: SpecReader) {
        (self.reader, self.position, members) = (reader, position, nil)
        prefix = key + "."
    }

    /// Whether the text has the key.
    public func has(_ key: Key) -> Bool {
        members?[key.rawValue] != nil
    }

    /// Whether the value of a key is one that the text has: false where something else stands in its place.
    public func isSound(_ key: Key) -> Bool { members != nil && reader.isSound(name(of: key)) }

    /// Notes a fault of the value of `key` that only the caller can judge.
    public func fault(_ key: Key, _ reason: String) {
        note(
            key,
            failure(members?[key.rawValue]?.value.position ?? position, .invalid(key: name(of: key), reason: reason)))
    }

    /// Notes a fault of `key` where a condition does not hold; asks only where that value is sound, and those of the others.
    public func check(
        _ key: Key, with others: Key..., holds condition: @autoclosure () -> Bool, _ reason: @autoclosure () -> String
    ) {
        guard isSound(key), others.allSatisfy(isSound), !condition() else { return }
        fault(key, reason())
    }

    /// Where the value of `key` stands, or the mapping without it, for what turns out after the spec is read.
    public func place(of key: Key) -> SpecPlace {
        SpecPlace(path: path, position: members?[key.rawValue]?.value.position ?? position, key: name(of: key))
    }

    func name(of key: Key) -> String { prefix + key.rawValue }

    func optionalNode(_ key: Key) -> SpecNode? { members?[key.rawValue]?.value }

    /// What `read` makes of the value of `key`, or a value in its place: the fault is noted then.
    func value<Value>(
        _ key: Key, else placeholder: @autoclosure () -> Value, _ read: (SpecNode) throws(SpecFault) -> Value
    ) -> Value {
        guard members != nil else { return placeholder() }
        guard let node = optionalNode(key) else {
            note(key, failure(position, .missingKey(name(of: key))))
            return placeholder()
        }
        do {
            return try read(node)
        } catch {
            note(key, error)
            return placeholder()
        }
    }

    func note(_ key: Key, _ fault: SpecFault) {
        if members != nil { reader.note(name(of: key), fault) }
    }

    func failure(_ position: SpecPosition, _ kind: SpecFault.Kind) -> SpecFault {
        SpecFault(path: path, position: position, kind: kind)
    }

    func failure(_ node: SpecNode, _ kind: SpecFault.Kind) -> SpecFault { failure(node.position, kind) }
}

extension CaseIterable where Self: RawRepresentable, RawValue == String {
    /// The keys of a mapping, for others that read the same text.
    public static var names: [String] { allCases.map(\.rawValue) }
}
