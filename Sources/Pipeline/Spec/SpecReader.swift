import Synchronization

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
