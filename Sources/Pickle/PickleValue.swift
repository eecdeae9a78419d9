/// A value of a pickle.
///
/// All values of a pickle lie in one flat store and refer to each other by number: shared values are
/// shared, cycles are harmless, and depth costs no stack. A walk over a value is therefore the place
/// to bound depth and number: shared references may spell out exponentially many paths.
public struct PickleValue: Sendable {
    let store: PickleStore
    let number: Int32

    public enum Content: Sendable {
        case none
        case bool(Bool)
        case int(Int)
        /// An integer beyond 64 bits: two's complement, little-endian.
        case largeInt([UInt8])
        case float(Double)
        case string(String)
        /// `bytes`, `bytearray`, or a string of Python 2, which has no encoding.
        case bytes([UInt8])
        case list([PickleValue])
        case tuple([PickleValue])
        case set([PickleValue])
        /// Pairs in the order in which they were set; a key that comes twice has its last value.
        case dictionary([(key: PickleValue, value: PickleValue)])
        case global(PickleGlobal)
        /// What a callable of the vocabulary was applied to.
        case object(PickleObject)
        /// A reference to something outside the pickle, such as a storage of torch.
        case persistent(PickleValue)
    }
}

/// A record of a call that a pickle asks for. The call is not made.
public struct PickleObject: Sendable {
    let store: PickleStore
    let object: PickleNode.Object

    public var callable: PickleGlobal { object.callable }
    /// A tuple.
    public var arguments: PickleValue { PickleValue(store: store, number: object.arguments) }
    /// What BUILD gives the object, such as its attributes.
    public var state: PickleValue? { object.state.map { PickleValue(store: store, number: $0) } }
    /// What APPENDS gives the object.
    public var items: [PickleValue] { store.values(object.items) }
    /// What SETITEMS gives the object.
    public var pairs: [(key: PickleValue, value: PickleValue)] { store.pairs(object.pairs) }
}

extension PickleValue {
    public var content: Content {
        switch node {
        case .none: .none
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .largeInt(let bytes): .largeInt(bytes)
        case .float(let value): .float(value)
        case .string(let text): .string(text)
        case .bytes(let bytes): .bytes(bytes)
        case .list(let numbers): .list(store.values(numbers))
        case .tuple(let numbers): .tuple(store.values(numbers))
        case .set(let numbers): .set(store.values(numbers))
        case .dictionary(let numbers): .dictionary(store.pairs(numbers))
        case .global(let global): .global(global)
        case .persistent(let number): .persistent(PickleValue(store: store, number: number))
        case .object(let object): .object(PickleObject(store: store, object: object))
        }
    }

    // The accessors look at the node: what `content` gives of a container takes time with its size.
    private var node: PickleNode { store.nodes[Int(number)] }

    /// Tells values of one pickle apart: equal for two references to the same value.
    public var identity: Int { Int(number) }

    public var isNone: Bool { if case .none = node { true } else { false } }
    public var bool: Bool? { if case .bool(let value) = node { value } else { nil } }
    public var int: Int? { if case .int(let value) = node { value } else { nil } }
    public var float: Double? { if case .float(let value) = node { value } else { nil } }
    public var global: PickleGlobal? { if case .global(let value) = node { value } else { nil } }
    public var object: PickleObject? {
        if case .object(let object) = node { PickleObject(store: store, object: object) } else { nil }
    }
    public var persistentID: PickleValue? {
        if case .persistent(let number) = node { PickleValue(store: store, number: number) } else { nil }
    }

    /// Every reference of the pickle to something outside, wherever it stands.
    public var persistentIDsOfPickle: [PickleValue] {
        store.nodes.compactMap { node in
            if case .persistent(let number) = node { PickleValue(store: store, number: number) } else { nil }
        }
    }

    /// A string, or the string of Python 2 whose bytes are UTF-8.
    public var string: String? {
        switch node {
        case .string(let text): text
        case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
        default: nil
        }
    }

    /// `bytes`; a string of Python 2; or bytes in the guise that Python 3 gives them in protocols below
    /// 3: `_codecs.encode(text, 'latin1')` or `bytes()`.
    public var bytes: [UInt8]? {
        switch node {
        case .bytes(let bytes): return bytes
        case .object(let object):
            guard let arguments = PickleValue(store: store, number: object.arguments).elements(upTo: 2) else {
                return nil
            }
            switch object.callable {
            case PickleGlobal("_codecs", "encode"):
                guard arguments.count == 2, case .string(let text) = arguments[0].node,
                    ["latin1", "latin-1"].contains(arguments[1].string)
                else { return nil }
                let scalars = text.unicodeScalars
                return scalars.allSatisfy { $0.value < 256 } ? scalars.map { UInt8($0.value) } : nil
            case PickleGlobal("__builtin__", "bytes"), PickleGlobal("builtins", "bytes"):
                return arguments.isEmpty ? [] : nil
            default: return nil
            }
        default: return nil
        }
    }

    /// The elements of a list, tuple or set.
    public var elements: [PickleValue]? { elements(upTo: .max) }

    /// The elements of a list, tuple or set; nil where there are more than `limit`.
    public func elements(upTo limit: Int) -> [PickleValue]? {
        switch node {
        case .list(let numbers), .tuple(let numbers), .set(let numbers):
            numbers.count <= limit ? store.values(numbers) : nil
        default: nil
        }
    }

    /// The pairs of a dictionary or of a `collections.OrderedDict`.
    public var pairs: [(key: PickleValue, value: PickleValue)]? {
        switch node {
        case .dictionary(let numbers): return store.pairs(numbers)
        case .object(let object) where object.callable == PickleGlobal("collections", "OrderedDict"):
            // Python 2 gives the pairs as an argument, Python 3 sets them one by one.
            let arguments = PickleValue(store: store, number: object.arguments)
            let listed = arguments.elements(upTo: 1)?.first?.elements ?? []
            return listed.compactMap { pair in
                guard let pair = pair.elements(upTo: 2), pair.count == 2 else { return nil }
                return (pair[0], pair[1])
            } + store.pairs(object.pairs)
        default: return nil
        }
    }

    /// The value under a string in a dictionary; the last one where a key comes twice.
    public subscript(key: String) -> PickleValue? {
        pairs?.last { $0.key.string == key }?.value
    }
}

/// The values of one pickle, in the order in which its opcodes made them.
final class PickleStore: Sendable {
    let nodes: [PickleNode]

    init(_ nodes: [PickleNode]) {
        self.nodes = nodes
    }

    func values(_ numbers: [Int32]) -> [PickleValue] {
        numbers.map { PickleValue(store: self, number: $0) }
    }

    /// Keys and values, which come by turns.
    func pairs(_ numbers: [Int32]) -> [(key: PickleValue, value: PickleValue)] {
        stride(from: 0, to: numbers.count - 1, by: 2).map {
            (PickleValue(store: self, number: numbers[$0]), PickleValue(store: self, number: numbers[$0 + 1]))
        }
    }
}

/// One value; the values in it are numbers of nodes, so that nodes own no other nodes.
enum PickleNode: Sendable {
    case none
    case bool(Bool)
    case int(Int)
    case largeInt([UInt8])
    case float(Double)
    case string(String)
    case bytes([UInt8])
    case list([Int32])
    case tuple([Int32])
    case set([Int32])
    /// Keys and values by turns.
    case dictionary([Int32])
    case global(PickleGlobal)
    case object(Object)
    case persistent(Int32)

    struct Object: Sendable {
        var callable: PickleGlobal
        var arguments: Int32
        var state: Int32?
        var items: [Int32] = []
        /// Keys and values by turns.
        var pairs: [Int32] = []
    }
}
