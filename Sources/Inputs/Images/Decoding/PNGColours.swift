/// Pixels of a PNG file as 8-bit RGB, by Pillow's rules.
struct PNGColours {
    private enum Rule {
        /// Samples of at most 8 bits look their colour up. // [256, 3]
        case table([UInt8], depth: Int)
        /// 16-bit grey: Pillow clips it.
        case clippedGrey
        /// Bytes of a pixel, and which of them are red, green and blue.
        case bytes(stride: Int, red: Int, green: Int, blue: Int)
    }

    private let rule: Rule

    init(_ header: PNGHeader, palette: [UInt8]) {
        let bytes = header.depth / 8
        switch (header.colour, header.depth) {
        case (.palette, let depth):
            rule = .table(palette, depth: depth)
        case (.grey, 16):
            rule = .clippedGrey
        case (.grey, let depth):
            let white = 1 << depth - 1
            rule = .table((0..<256 * 3).map { UInt8(min($0 / 3, white) * 255 / white) }, depth: depth)
        case (.greyAlpha, _):
            rule = .bytes(stride: 2 * bytes, red: 0, green: 0, blue: 0)
        case (.rgb, _), (.rgba, _):
            rule = .bytes(stride: header.colour.channels * bytes, red: 0, green: bytes, blue: 2 * bytes)
        }
    }

    /// A picture whose samples are all 0.
    func blank(width: Int, height: Int) -> RGBImage {
        guard case .table(let colours, _) = rule, colours[0] != 0 || colours[1] != 0 || colours[2] != 0 else {
            return RGBImage(width: width, height: height, grey: 0)
        }
        var image = RGBImage(width: width, height: height, grey: colours[0])
        for pixel in 0..<width * height {
            image.pixels[pixel * 3 + 1] = colours[1]
            image.pixels[pixel * 3 + 2] = colours[2]
        }
        return image
    }

    /// - Parameters:
    ///   - pixels: of the whole picture. // [height, width, 3]
    func convert(_ row: PNGRow, into pixels: UnsafeMutableBufferPointer<UInt8>, width: Int) {
        let start = (row.y * width + row.x) * 3
        let step = row.dx * 3
        precondition(start + (row.columns - 1) * step + 3 <= pixels.count, "a row lies within its picture")
        switch rule {
        case .table(let colours, let depth):
            for column in 0..<row.columns {
                let (target, entry) = (start + column * step, Int(row.sample(column, depth: depth)) * 3)
                for c in 0..<3 { pixels[target + c] = colours[entry + c] }
            }
        case .clippedGrey:
            for column in 0..<row.columns {
                let (target, grey) = (start + column * step, UInt8(min(255, row.sample(column, depth: 16))))
                for c in 0..<3 { pixels[target + c] = grey }
            }
        case .bytes(let stride, let red, let green, let blue):
            for column in 0..<row.columns {
                let (target, pixel) = (start + column * step, row.bytes + column * stride)
                pixels[target] = pixel[red]
                pixels[target + 1] = pixel[green]
                pixels[target + 2] = pixel[blue]
            }
        }
    }
}
