@testable import Inputs
import Testing

/// Heat maps and masks over pictures.
@Suite struct OverlayTests {
    static let corners: [(Float, [Int])] = [
        (0, [0, 0, 128]), (0.125, [0, 0, 255]), (0.25, [0, 128, 255]), (0.375, [0, 255, 255]), (0.5, [128, 255, 128]),
        (0.625, [255, 255, 0]), (0.75, [255, 128, 0]), (0.875, [255, 0, 0]), (1, [128, 0, 0]),
        (-3, [0, 0, 128]), (7, [128, 0, 0]), (.nan, [0, 0, 128]), (.infinity, [128, 0, 0]),
    ]

    @Test(arguments: corners)
    func jetHasItsCorners(value: Float, expected: [Int]) {
        let colour = JetColours.colour(value) * 255
        #expect((0..<3).map { Int(colour[$0].rounded()) } == expected)
    }

    @Test func overlayMixesSixToFour() {
        let image = RGBImage(width: 3, height: 1, pixels: [100, 0, 255, 255, 255, 255, 0, 0, 0])
        let mixed = image.overlaid(with: [0.875, 0.5, 0.125])
        // 0.4·image + 0.6·jet
        #expect(mixed.pixels == [193, 0, 102, 179, 255, 179, 0, 0, 153])
    }

    @Test func masksTintTheirObjects() {
        let image = RGBImage(width: 4, height: 1, pixels: [10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30])
        let tinted = image.tinted(by: [0, 1, 2, 255])
        #expect(Array(tinted.pixels.prefix(9)) == [20, 20, 20, 125, 25, 25, 25, 40, 125])
        #expect(tinted.pixels.count == 12)
    }
}
