/// Where the elements of a dataset are.
enum HDF5Layout {
    case compact(ArraySlice<UInt8>)
    case contiguous(UInt64)
    /// - Parameters:
    ///   - sides: of a chunk.
    ///   - element: bytes of an element.
    case chunked(tree: UInt64, sides: [Int], element: Int)

    /// - Parameter rank: of the dataset.
    init(_ message: HDF5Reader, rank: Int) throws {
        var message = message
        let version: UInt8 = try message.number()
        guard (1...3).contains(version) else {
            throw message.failure("a data layout of version 1 to 3, not \(version)")
        }
        // The first two versions, of MATLAB before 2008, have one structure for all classes.
        let isEarly = version < 3
        var dimensions = isEarly ? Int(try message.number(UInt8.self)) : 0
        let kind: UInt8 = try message.number()
        if isEarly { try message.skip(5) }
        switch kind {
        case 0:
            if isEarly { try message.skip(4 * dimensions) }
            let size = isEarly ? Int(try message.number(UInt32.self)) : Int(try message.number(UInt16.self))
            self = .compact(try message.take(size))
        case 1:
            self = .contiguous(try message.number())
        case 2:
            if !isEarly { dimensions = Int(try message.number(UInt8.self)) }
            let tree: UInt64 = try message.number()
            guard dimensions == rank + 1 else { throw message.failure("chunks of \(rank) dimensions") }
            let sides = try (0..<rank).map { _ in Int(try message.number(UInt32.self)) }
            guard sides.allSatisfy({ $0 > 0 }) else { throw message.failure("chunks that hold elements") }
            self = .chunked(tree: tree, sides: sides, element: Int(try message.number(UInt32.self)))
        default:
            throw message.failure("a compact, contiguous or chunked layout, not \(kind)")
        }
    }
}

/// The elements that MATLAB stores numbers, characters and cells as.
struct HDF5Type: Equatable {
    enum Kind: Equatable {
        case unsigned, signed, float, reference
    }

    let kind: Kind
    /// Bytes of an element.
    let size: Int

    init(_ message: HDF5Reader) throws {
        var message = message
        let head: UInt8 = try message.number()
        let bits: UInt8 = try message.number()
        try message.skip(2)
        size = Int(try message.number(UInt32.self))
        switch head & 0x0F {
        case 0 where [1, 2, 4, 8].contains(size) && bits & 1 == 0: kind = bits & 8 == 0 ? .unsigned : .signed
        case 1 where [4, 8].contains(size) && bits & 1 == 0: kind = .float
        case 7 where size == 8 && bits & 0x0F == 0: kind = .reference
        default:
            throw message.failure(
                "little-endian numbers or object references, not class \(head & 0x0F) of \(size) bytes")
        }
    }
}

/// A dataset in memory.
struct HDF5Contents {
    let shape: [Int]
    let type: HDF5Type
    let bytes: [UInt8]

    var count: Int { bytes.count / type.size }

    func bits(_ index: Int) -> UInt64 {
        bytes[index * type.size..<(index + 1) * type.size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Addresses of the objects that a cell array's elements are; nil for another dataset.
    var references: [UInt64]? {
        type.kind == .reference ? (0..<count).map(bits) : nil
    }

    /// A whole number that fits 16 bits; nil for any other.
    func small(_ index: Int) -> UInt16? {
        switch (type.kind, type.size) {
        case (.unsigned, _): UInt16(exactly: bits(index))
        case (.signed, 1): UInt16(exactly: Int8(truncatingIfNeeded: bits(index)))
        case (.signed, 2): UInt16(exactly: Int16(truncatingIfNeeded: bits(index)))
        case (.signed, 4): UInt16(exactly: Int32(truncatingIfNeeded: bits(index)))
        case (.signed, _): UInt16(exactly: Int64(bitPattern: bits(index)))
        case (.float, 4): UInt16(exactly: Float(bitPattern: UInt32(bits(index))))
        case (.float, _): UInt16(exactly: Double(bitPattern: bits(index)))
        case (.reference, _): nil
        }
    }
}
