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
