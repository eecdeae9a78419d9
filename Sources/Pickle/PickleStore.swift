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
