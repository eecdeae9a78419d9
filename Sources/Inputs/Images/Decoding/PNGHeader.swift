/// What a PNG file's first chunk says.
struct PNGHeader: Equatable {
    enum Colour: Int {
        case grey = 0
        case rgb = 2
        case palette = 3
        case greyAlpha = 4
        case rgba = 6

        var channels: Int {
            switch self {
            case .grey, .palette: 1
            case .greyAlpha: 2
            case .rgb: 3
            case .rgba: 4
            }
        }

        var depths: Set<Int> {
            switch self {
            case .grey: [1, 2, 4, 8, 16]
            case .palette: [1, 2, 4, 8]
            case .rgb, .greyAlpha, .rgba: [8, 16]
            }
        }
    }

    let width: Int
    let height: Int
    /// Bits of a sample.
    let depth: Int
    let colour: Colour
    let isInterlaced: Bool

    /// - Parameter body: of the chunk IHDR, 13 bytes at least.
    /// - Returns: nil for a kind of pixels that does not exist.
    init?(_ body: Slice<UnsafeRawBufferPointer>) {
        let bytes = Array(body.prefix(13))
        guard bytes.count == 13, let colour = Colour(rawValue: Int(bytes[9])), colour.depths.contains(Int(bytes[8]))
        else { return nil }
        width = bytes[0..<4].reduce(0) { $0 << 8 | Int($1) }
        height = bytes[4..<8].reduce(0) { $0 << 8 | Int($1) }
        depth = Int(bytes[8])
        self.colour = colour
        isInterlaced = bytes[12] != 0
    }

    var bitsPerPixel: Int { depth * colour.channels }

    /// The sub-pictures that are stored one after the other: all pixels, or every eighth, fourth, second
    /// one of a row and column (Adam7). Those without pixels are not stored.
    var passes: [PNGPass] {
        guard isInterlaced else { return [PNGPass(self, x: 0, y: 0, dx: 1, dy: 1)] }
        let grid = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        return grid.map { PNGPass(self, x: $0.0, y: $0.1, dx: $0.2, dy: $0.3) }.filter { $0.columns > 0 && $0.rows > 0 }
    }
}

/// One of the sub-pictures of an interlaced picture.
struct PNGPass {
    /// The first pixel, and the distances to the next.
    let x: Int, y: Int, dx: Int, dy: Int
    let columns: Int
    let rows: Int
    let bytesPerRow: Int

    fileprivate init(_ header: PNGHeader, x: Int, y: Int, dx: Int, dy: Int) {
        (self.x, self.y, self.dx, self.dy) = (x, y, dx, dy)
        columns = (header.width - x + dx - 1) / dx
        rows = (header.height - y + dy - 1) / dy
        bytesPerRow = (columns * header.bitsPerPixel + 7) / 8
    }
}
