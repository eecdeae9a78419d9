extension RGBImage {
    /// Share of the heat map in the overlay; the image has the rest. As in the public demo of CLIP Surgery
    /// (arXiv 2304.05653).
    static let heatMapShare: Float = 0.6

    /// The picture under a heat map in jet colours: 0.4·image + 0.6·jet(map), from blue (0) over green (½) to red (1).
    /// - Parameter map: in [0, 1]; what lies outside is clamped, NaN counts as 0. // [height, width]
    public func overlaid(with map: [Float]) -> RGBImage {
        precondition(map.count == width * height, "a heat map has one value for each pixel")
        var image = self
        for (pixel, value) in map.enumerated() {
            let heat = JetColours.colour(value) * 255 * Self.heatMapShare
            for c in 0..<3 {
                let mixed = Float(pixels[pixel * 3 + c]) * (1 - Self.heatMapShare) + heat[c]
                image.pixels[pixel * 3 + c] = UInt8(min(255, mixed.rounded()))
            }
        }
        return image
    }
}

/// The colour scale "jet": each channel is a trapezium of slope 4 and height 1 about its own centre,
/// min(1, max(0, 1.5 − |4v − c|)) with c = 3 for red, 2 for green, 1 for blue.
enum JetColours {
    /// RGB in [0, 1].
    static func colour(_ value: Float) -> SIMD3<Float> {
        let value = value.isNaN ? 0 : min(1, max(0, value))
        let distance = 4 * value - SIMD3<Float>(3, 2, 1)
        return (1.5 - distance.replacing(with: -distance, where: distance .< 0)).clamped(
            lowerBound: .zero, upperBound: .one)
    }
}

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
