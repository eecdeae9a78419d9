import Foundations

/// The filters that a dataset's chunks went through.
struct HDF5Filters {
    private var filters: [(id: UInt16, element: Int)] = []

    init() {}

    init(_ message: HDF5Reader) throws {
        var message = message
        let version: UInt8 = try message.number()
        let count: UInt8 = try message.number()
        guard version == 1 || version == 2 else { throw message.failure("a filter pipeline of version 1 or 2") }
        if version == 1 { try message.skip(6) }
        for _ in 0..<count {
            let id: UInt16 = try message.number()
            guard [1, 2, 3].contains(id) else {
                throw message.failure("the filters deflate, shuffle and Fletcher-32, not \(id)")
            }
            let nameLength = version == 1 ? Int(try message.number(UInt16.self)) : 0
            try message.skip(2)
            let values = Int(try message.number(UInt16.self))
            try message.skip((nameLength + 7) / 8 * 8)
            var first: UInt32 = 0
            for index in 0..<values {
                let value: UInt32 = try message.number()
                if index == 0 { first = value }
            }
            if version == 1, values % 2 == 1 { try message.skip(min(4, message.left)) }
            filters.append((id, Int(first)))
        }
    }

    /// What a stored chunk was before the filters.
    /// - Parameter skipped: bit i is set where the chunk did not go through filter i.
    func undone(_ stored: [UInt8], skipped: UInt32, size: Int, _ failure: (String) -> InputError) throws -> [UInt8] {
        var data = stored
        for (index, filter) in filters.enumerated().reversed() where index >= 32 || skipped >> index & 1 == 0 {
            switch filter.id {
            case 1:
                do {
                    data = try Inflation.zlib(data[...], limit: size + 4)
                } catch {
                    throw failure("a whole zlib stream of \(size) bytes")
                }
            case 2:
                data = Self.unshuffled(data, element: filter.element)
            default:
                guard data.count >= 4 else { throw failure("a checksum") }
                data.removeLast(4)
            }
        }
        guard data.count == size else { throw failure("a chunk of \(size) bytes, here are \(data.count)") }
        return data
    }

    /// Shuffling puts the first bytes of all elements before the second ones, and so on.
    private static func unshuffled(_ data: [UInt8], element: Int) -> [UInt8] {
        guard element > 1, data.count >= element else { return data }
        let count = data.count / element
        var result = data
        for byte in 0..<element {
            for index in 0..<count { result[index * element + byte] = data[byte * count + index] }
        }
        return result
    }
}

/// Chunks of a dataset, brought into one array.
struct HDF5Chunks {
    let file: HDF5Bytes
    let tree: UInt64
    let shape: [Int]
    /// Shape of a chunk, in elements.
    let sides: [Int]
    /// Bytes of an element.
    let element: Int
    let filters: HDF5Filters

    /// - Parameter bytes: of all elements.
    func assembled(bytes: Int) throws -> [UInt8] {
        var size = element
        for side in sides {
            let (product, overflow) = size.multipliedReportingOverflow(by: side)
            // A chunk may reach beyond the dataset, but not by more than a chunk does that is as large as it.
            guard !overflow, product <= max(4 * bytes, 1 << 20) else {
                throw file.failure(tree, "chunks not larger than the dataset")
            }
            size = product
        }
        guard bytes > 0 else { return [] }
        guard tree != HDF5Bytes.nowhere else { throw file.failure(0, "a dataset with chunks") }
        // Deflate makes no more than 1032 bytes of one.
        guard bytes / 1032 <= file.size else {
            throw file.failure(tree, "\(bytes) bytes of data, the file has \(file.size)")
        }
        var result = [UInt8](repeating: 0, count: bytes)
        var expected = zip(shape, sides).reduce(1) { $0 * (($1.0 + $1.1 - 1) / $1.1) }
        let rank = shape.count
        var seen: Set<[Int]> = []
        try HDF5Tree.visitLeaves(file, root: tree, kind: .chunks, keyBytes: 8 + 8 * (rank + 1)) { key, address in
            let stored = Int(try key.number(UInt32.self))
            let skipped: UInt32 = try key.number()
            let offsets = try (0..<rank).map { _ in Int(clamping: try key.number(UInt64.self)) }
            let fits = zip(offsets, zip(shape, sides)).allSatisfy { $0 < $1.0 && $0 % $1.1 == 0 }
            expected -= 1
            guard fits, expected >= 0, seen.insert(offsets).inserted else {
                throw file.failure(address, "a chunk of the dataset")
            }
            let data = try filters.undone(file.read(at: address, count: stored), skipped: skipped, size: size) {
                file.failure(address, $0)
            }
            copy(data, to: &result, at: offsets)
        }
        guard expected == 0 else { throw file.failure(tree, "\(expected) more chunks") }
        return result
    }

    private func copy(_ chunk: [UInt8], to result: inout [UInt8], at offsets: [Int]) {
        let rank = shape.count
        let lengths = (0..<rank).map { min(sides[$0], shape[$0] - offsets[$0]) }
        let rows = lengths.dropLast().reduce(1, *)
        let rowBytes = (lengths.last ?? 1) * element
        for row in 0..<rows {
            // Where the row begins, counted through all indices but the last.
            var (rest, source, target) = (row, 0, 0)
            var (sourceStride, targetStride) = (sides[rank - 1], shape[rank - 1])
            for axis in (0..<rank - 1).reversed() {
                let index = rest % lengths[axis]
                rest /= lengths[axis]
                source += index * sourceStride
                target += (offsets[axis] + index) * targetStride
                sourceStride *= sides[axis]
                targetStride *= shape[axis]
            }
            let (from, to) = (source * element, (target + offsets[rank - 1]) * element)
            result.replaceSubrange(to..<to + rowBytes, with: chunk[from..<from + rowBytes])
        }
    }
}
