extension RGBImage {
    /// Colours of the objects of a mask: the main one's, the second one's and so on, then from the first again.
    static let maskColours: [SIMD3<Int>] = [
        [230, 30, 30], [30, 60, 230], [30, 170, 60], [235, 160, 20], [160, 40, 190],
    ]

    /// The picture in grey, its objects half covered by the colours of their masks.
    /// - Parameter mask: 0 for the background, k for object k. // [height, width]
    public func tinted(by mask: [UInt8]) -> RGBImage {
        precondition(mask.count == width * height, "a mask has one value for each pixel")
        var image = self
        for (pixel, object) in mask.enumerated() {
            let values = (0..<3).map { Int(pixels[pixel * 3 + $0]) }
            let grey = values.reduce(0, +) / 3
            let colour = Self.maskColours[(max(1, Int(object)) - 1) % Self.maskColours.count]
            for c in 0..<3 {
                image.pixels[pixel * 3 + c] = UInt8(object == 0 ? grey : (grey + colour[c]) / 2)
            }
        }
        return image
    }
}
