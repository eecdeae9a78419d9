/// The names of a group's members, in its local heap.
struct HDF5Names {
    private let file: HDF5Bytes
    private let data: UInt64
    private let size: UInt64

    init(_ file: HDF5Bytes, at address: UInt64) throws {
        self.file = file
        var heap = try HDF5Reader(file, at: address, count: 32)
        try heap.expect("HEAP")
        try heap.skip(4)
        size = try heap.number()
        try heap.skip(8)
        data = try heap.number()
    }

    /// Whether the name at `offset` is `name`, which a zero byte ends.
    func isName(at offset: UInt64, _ name: String) throws -> Bool {
        let expected = Array(name.utf8) + [0]
        guard offset < size, UInt64(expected.count) <= size - offset else { return false }
        let (place, overflow) = data.addingReportingOverflow(offset)
        return try !overflow && file.read(at: place, count: expected.count) == expected
    }
}

/// Version 1 B-trees, of a group's members or of a dataset's chunks.
enum HDF5Tree {
    enum Kind: UInt8 {
        case group = 0
        case chunks = 1
    }

    /// Levels beyond which a tree is refused; real ones have three or four.
    private static let levelLimit: UInt8 = 16
    /// Nodes of one tree beyond which it is refused: a group of MATLAB's, or a picture, has a few.
    private static let nodeLimit = 1 << 18

    /// Calls `body` with the key in front of each leaf and the leaf's address.
    static func visitLeaves(
        _ file: HDF5Bytes, root: UInt64, kind: Kind, keyBytes: Int, _ body: (inout HDF5Reader, UInt64) throws -> Void
    ) throws {
        // Levels fall from node to node, so there are no cycles; but a node may be listed many times.
        var nodesLeft = min(file.size / 24 + 1, nodeLimit)
        var pending = [(address: root, level: UInt8?.none)]
        while let (address, level) = pending.popLast() {
            nodesLeft -= 1
            guard nodesLeft >= 0 else { throw file.failure(address, "a tree of fewer nodes") }
            var head = try HDF5Reader(file, at: address, count: 24)
            try head.expect("TREE")
            guard try head.number(UInt8.self) == kind.rawValue else {
                throw head.failure("a node of kind \(kind.rawValue)")
            }
            let own: UInt8 = try head.number()
            guard level.map({ own == $0 }) ?? (own <= levelLimit) else {
                throw head.failure("a node of level \(level ?? levelLimit)")
            }
            let count = Int(try head.number(UInt16.self))
            var entries = try HDF5Reader(file, at: address + 24, count: count * (keyBytes + 8))
            for _ in 0..<count {
                var key = HDF5Reader(file, bytes: Array(try entries.take(keyBytes)), address: address)
                let child: UInt64 = try entries.number()
                if own == 0 {
                    try body(&key, child)
                } else {
                    pending.append((child, own - 1))
                }
            }
        }
    }
}
