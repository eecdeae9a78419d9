extension RGBImage {
    /// The picture in another size, bicubic as Pillow has it.
    public func resized(width: Int, height: Int) -> RGBImage {
        let across = ResamplingWeights(.bicubic, side: self.width, resized: width, wanted: 0..<width)
        let down = ResamplingWeights(.bicubic, side: self.height, resized: height, wanted: 0..<height)
        let whole = PixelGrid(self, rows: 0..<self.height, columns: 0..<self.width)
        return RGBImage(width: width, height: height, pixels: whole.resizedAcross(across).resizedDown(down).pixels)
    }

    /// Fills the pixels whose centres are not farther from one than `radius`; what lies outside is cut.
    /// - Parameter colour: red, green, blue.
    public mutating func fillDisc(x: Int, y: Int, radius: Int, _ colour: [UInt8]) {
        for row in y - radius...y + radius where (0..<height).contains(row) {
            for column in x - radius...x + radius where (0..<width).contains(column) {
                guard (row - y) * (row - y) + (column - x) * (column - x) <= radius * radius else { continue }
                for c in 0..<3 { pixels[(row * width + column) * 3 + c] = colour[c] }
            }
        }
    }
}
