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
