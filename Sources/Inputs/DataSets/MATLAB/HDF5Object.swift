/// An object header: the messages that say what a group or dataset is.
struct HDF5Object {
    let file: HDF5Bytes
    let address: UInt64
    private var messages: [UInt16: HDF5Reader] = [:]

    private enum Message {
        static let (dataspace, datatype, layout, filters): (UInt16, UInt16, UInt16, UInt16) = (1, 3, 8, 11)
        static let (continuation, symbolTable): (UInt16, UInt16) = (16, 17)
    }

    /// More blocks than MATLAB makes for one object.
    private static let blockLimit = 64

    init(_ file: HDF5Bytes, at address: UInt64) throws {
        (self.file, self.address) = (file, address)
        var header = try HDF5Reader(file, at: address, count: 16)
        let version: UInt8 = try header.number()
        guard version == 1 else { throw header.failure("an object header of version 1, not \(version)") }
        try header.skip(1)
        var left = Int(try header.number(UInt16.self))
        try header.skip(4)
        var blocks = [(address: address + 16, size: Int(try header.number(UInt32.self)))]
        var next = 0
        while next < blocks.count, left > 0 {
            guard blocks.count <= Self.blockLimit else {
                throw header.failure("an object header of no more than \(Self.blockLimit) blocks")
            }
            var block = try HDF5Reader(file, at: blocks[next].address, count: blocks[next].size)
            while left > 0, block.left >= 8 {
                let kind: UInt16 = try block.number()
                let size: UInt16 = try block.number()
                let flags: UInt8 = try block.number()
                try block.skip(3)
                let start = block.place
                let body = HDF5Reader(file, bytes: Array(try block.take(Int(size))), address: start)
                left -= 1
                if kind == Message.continuation {
                    var place = body
                    blocks.append((try place.number(), Int(clamping: try place.number(UInt64.self))))
                } else if [Message.dataspace, Message.datatype, Message.layout, Message.filters, Message.symbolTable]
                    .contains(kind)
                {
                    guard flags & 2 == 0 else { throw body.failure("a message of the object's own, not a shared one") }
                    messages[kind] = messages[kind] ?? body
                }
            }
            next += 1
        }
    }

    private func message(_ kind: UInt16, _ what: String) throws -> HDF5Reader {
        guard let message = messages[kind] else { throw file.failure(address, what) }
        return message
    }

    // MARK: Groups

    /// The address of a member of a group; nil where the group has none of that name.
    func member(_ name: String) throws -> UInt64? {
        var table = try message(Message.symbolTable, "a group with a symbol table")
        let (tree, heap): (UInt64, UInt64) = (try table.number(), try table.number())
        let names = try HDF5Names(file, at: heap)
        var found: UInt64?
        try HDF5Tree.visitLeaves(file, root: tree, kind: .group, keyBytes: 8) { _, leaf in
            guard found == nil else { return }
            var head = try HDF5Reader(file, at: leaf, count: 8)
            try head.expect("SNOD")
            try head.skip(2)
            let count = Int(try head.number(UInt16.self))
            var entries = try HDF5Reader(file, at: leaf + 8, count: count * 40)
            for _ in 0..<count {
                let (nameOffset, object): (UInt64, UInt64) = (try entries.number(), try entries.number())
                try entries.skip(24)
                if try names.isName(at: nameOffset, name) { found = object }
            }
        }
        return found
    }

    // MARK: Datasets

    /// Shape and element type of a dataset.
    func header() throws -> (shape: [Int], type: HDF5Type) {
        var space = try message(Message.dataspace, "a dataset with a dataspace")
        let version: UInt8 = try space.number()
        let rank: UInt8 = try space.number()
        guard version == 1 || version == 2, (1...8).contains(rank) else {
            throw space.failure("a dataspace of one to eight dimensions")
        }
        try space.skip(version == 1 ? 6 : 2)
        let shape = try (0..<rank).map { _ in Int(clamping: try space.number(UInt64.self)) }
        return (shape, try HDF5Type(message(Message.datatype, "a dataset with a datatype")))
    }

    /// Elements of a dataset, the last index fastest.
    /// - Parameter limit: in bytes.
    func contents(limit: Int) throws -> HDF5Contents {
        let (shape, type) = try header()
        var bytes = type.size
        for side in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: side)
            guard !overflow, product <= limit else {
                throw DataSetError.tooLarge(
                    path: file.path, place: "byte \(Int(address) + file.base)", bytes: overflow ? .max : product,
                    limit: limit)
            }
            bytes = product
        }
        let data: [UInt8]
        switch try HDF5Layout(message(Message.layout, "a dataset with a layout"), rank: shape.count) {
        case .compact(let stored):
            guard stored.count >= bytes else {
                throw file.failure(address, "\(bytes) bytes of data, here are \(stored.count)")
            }
            data = Array(stored.prefix(bytes))
        case .contiguous(let place):
            data = bytes == 0 ? [] : try file.read(at: place, count: bytes)
        case .chunked(let tree, let sides, let element):
            guard element == type.size else { throw file.failure(address, "chunks of elements of \(type.size) bytes") }
            let filters = try messages[Message.filters].map { try HDF5Filters($0) } ?? HDF5Filters()
            let chunks = HDF5Chunks(
                file: file, tree: tree, shape: shape, sides: sides, element: element, filters: filters)
            data = try chunks.assembled(bytes: bytes)
        }
        return HDF5Contents(shape: shape, type: type, bytes: data)
    }
}
