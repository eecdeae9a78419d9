extension ArchiveIndex {
    /// Rows in the order of their paths' bytes.
    static func order(names: [UInt8], rows: [Row]) -> [UInt32] {
        names.withUnsafeBytes { names in
            func name(_ row: UInt32) -> UnsafeRawBufferPointer {
                let start = Int(row == 0 ? 0 : rows[Int(row) - 1].nameEnd)
                return UnsafeRawBufferPointer(rebasing: names[start..<Int(rows[Int(row)].nameEnd)])
            }
            return (0..<UInt32(rows.count)).sorted { precedes(name($0), name($1)) }
        }
    }

    /// An entry that has the path of one before it.
    var duplicate: Int? {
        for (first, second) in zip(order, order.dropFirst())
        where nameBytes(of: Int(first)) == nameBytes(of: Int(second)) {
            return Int(max(first, second))
        }
        return nil
    }

    private static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        for position in 0..<min(a.count, b.count) where a[position] != b[position] {
            return a[position] < b[position]
        }
        return a.count < b.count
    }
}
