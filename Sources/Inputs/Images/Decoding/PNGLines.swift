/// The row that is being read and the one above it, each with its filter in front.
struct PNGLines {
    private(set) var current: UnsafeMutablePointer<UInt8>
    private var above: UnsafeMutablePointer<UInt8>
    private let bytes: Int
    private let bytesPerPixel: Int

    init(bytesPerRow: Int, bytesPerPixel: Int) {
        bytes = bytesPerRow + 1
        self.bytesPerPixel = bytesPerPixel
        current = .allocate(capacity: bytes)
        above = .allocate(capacity: bytes)
        current.initialize(repeating: 0, count: bytes)
        above.initialize(repeating: 0, count: bytes)
    }

    func deallocate() {
        current.deallocate()
        above.deallocate()
    }

    /// Above the first row of a pass everything is 0.
    func startPass() { above.update(repeating: 0, count: bytes) }

    mutating func swap() { Swift.swap(&current, &above) }

    /// Undoes the filter that the first byte names; `count` bytes follow it.
    /// - Returns: false for a filter that does not exist.
    func unfilter(count: Int) -> Bool {
        let (row, up, first) = (current + 1, above + 1, min(bytesPerPixel, count))
        switch current[0] {
        case 0: break
        case 1:
            for i in first..<count { row[i] &+= row[i - bytesPerPixel] }
        case 2:
            for i in 0..<count { row[i] &+= up[i] }
        case 3:
            for i in 0..<first { row[i] &+= up[i] / 2 }
            for i in first..<count { row[i] &+= UInt8((UInt16(row[i - bytesPerPixel]) + UInt16(up[i])) / 2) }
        case 4:
            for i in 0..<first { row[i] &+= up[i] }
            for i in first..<count { row[i] &+= paeth(row[i - bytesPerPixel], up[i], up[i - bytesPerPixel]) }
        default: return false
        }
        return true
    }

    /// The one among left, up and upper left that is nearest to left + up − upper left.
    private func paeth(_ left: UInt8, _ up: UInt8, _ corner: UInt8) -> UInt8 {
        let (a, b, c) = (Int16(left), Int16(up), Int16(corner))
        let (toLeft, toUp, toCorner) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner
    }
}
