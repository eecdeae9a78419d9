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
