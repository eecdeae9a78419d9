import CZlib

/// A PNG file of any kind of pixels.
///
/// It is read here and not by libpng, because Pillow has a reader of its own upon zlib too, and its verdict
/// on defective files is not libpng's.
struct PNGFile {
    let header: PNGHeader
    /// Red, green and blue of every index; those that the file does not name are black. // [256, 3]
    private let palette: [UInt8]
    private let chunks: PNGChunks

    /// Reads what stands in front of the picture data.
    init(_ bytes: UnsafeRawBufferPointer, limit: PixelLimit) throws(PictureFault) {
        var chunks = PNGChunks(bytes)
        let (header, colours) = try chunks.readHeader()
        guard header.width > 0, header.height > 0 else { throw .damaged(.png, reason: "no pixels", offset: 0) }
        try limit.check(width: header.width, height: header.height)
        let named = colours.map { Array($0) } ?? []
        guard named.count / 3 <= 256 else {
            throw .damaged(.png, reason: "a palette of \(named.count / 3) colours", offset: 0)
        }
        self.header = header
        palette = (0..<256 * 3).map { $0 < named.count / 3 * 3 ? named[$0] : 0 }
        self.chunks = chunks
    }

    /// The picture as 8-bit RGB.
    func rgb() throws(PictureFault) -> RGBImage {
        let converter = PNGColours(header, palette: palette)
        // What a compressed stream leaves out that ends early, but with a row, has the sample 0.
        var image = converter.blank(width: header.width, height: header.height)
        try forEachRow { row in
            image.pixels.withUnsafeMutableBufferPointer { pixels in
                converter.convert(row, into: pixels, width: header.width)
            }
        }
        return image
    }

    /// The samples as they are stored. // [height, width, channels]
    func samples() throws(PictureFault) -> [UInt16] {
        let (channels, depth, width) = (header.colour.channels, header.depth, header.width)
        var samples = [UInt16](repeating: 0, count: width * header.height * channels)
        try forEachRow { row in
            for column in 0..<row.columns {
                let target = (row.y * width + row.x + column * row.dx) * channels
                for channel in 0..<channels {
                    samples[target + channel] = row.sample(column * channels + channel, depth: depth)
                }
            }
        }
        return samples
    }

    /// Hands out the rows in the order of the file, unpacked and unfiltered.
    private func forEachRow(_ body: (PNGRow) -> Void) throws(PictureFault) {
        var chunks = chunks
        let widest = header.passes.map(\.bytesPerRow).max() ?? 0
        var lines = PNGLines(bytesPerRow: widest, bytesPerPixel: (header.bitsPerPixel + 7) / 8)
        defer { lines.deallocate() }
        let inflation = try PNGInflation()
        defer { inflation.end() }

        for pass in header.passes {
            lines.startPass()
            for index in 0..<pass.rows {
                let streamEnds = try inflation.fill(lines.current, count: pass.bytesPerRow + 1, from: &chunks)
                guard lines.unfilter(count: pass.bytesPerRow) else {
                    throw .damaged(.png, reason: "unknown filter", offset: chunks.place)
                }
                body(
                    PNGRow(
                        bytes: UnsafePointer(lines.current + 1), columns: pass.columns,
                        x: pass.x, y: pass.y + index * pass.dy, dx: pass.dx))
                if streamEnds { return try chunks.finish() }
                lines.swap()
            }
        }
        try chunks.finish()
    }
}

/// A row of a pass: `columns` pixels, the first at (x, y), the next ones every `dx`.
struct PNGRow {
    let bytes: UnsafePointer<UInt8>
    let columns: Int
    let x: Int, y: Int, dx: Int

    /// A sample as it is stored; several share a byte, the first one in its upper bits.
    func sample(_ index: Int, depth: Int) -> UInt16 {
        switch depth {
        case 16: UInt16(bytes[2 * index]) << 8 | UInt16(bytes[2 * index + 1])
        case 8: UInt16(bytes[index])
        default:
            UInt16(bytes[index * depth / 8] >> UInt8(8 - depth - index * depth % 8)) & (1 << UInt16(depth) - 1)
        }
    }
}
