import Foundation
import Inputs
import Testing

/// JPEG files as reports hold them.
@Suite struct JPEGWritingTests {
    /// Smooth, with an edge.
    private func picture(_ width: Int, _ height: Int) -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                pixels += [UInt8(255 * x / width), UInt8(255 * y / height), x > width / 2 ? 200 : 40]
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    @Test(arguments: [(64, 48), (1, 1), (17, 9), (896, 56)]) func comesBackNearlyAsItWas(width: Int, height: Int) throws
    {
        let image = picture(width, height)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString).jpg")
        defer { try? FileManager.default.removeItem(at: file) }
        let data = try image.jpeg(quality: 85, for: "a picture")
        try data.write(to: file)
        let back = try PictureOnDisk(contentsOf: file).image
        #expect(back.width == width && back.height == height)
        let error = zip(back.pixels, image.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) } / image.pixels.count
        // Colours have half the resolution, which shows at an edge of a small picture.
        #expect(error <= 8, "mean error \(error)")
        #expect(try image.jpeg(quality: 85, for: "a picture") == data, "equal pixels give equal bytes")
        #expect(try width * height < 100 || image.jpeg(quality: 30, for: "a picture").count < data.count)
    }

    @Test func sizesThatNoFileHasAreRefused() {
        #expect(throws: InputError.self) { try RGBImage(width: 0, height: 4).jpeg(quality: 85, for: "x") }
        #expect(throws: InputError.self) { try RGBImage(width: 65_501, height: 1).jpeg(quality: 85, for: "x") }
    }
}
