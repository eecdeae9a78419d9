import Foundation
import Foundations
@testable import Inputs
import Testing

/// Squares are those of Pillow under torchvision's, OpenCLIP's and Hugging Face's transforms.
@Suite struct ImagePreprocessingTests {
    @Test func clipsSquareIsTorchvisions() throws {
        let cases = try PictureFixtures.sound()
        let preprocessing = ImagePreprocessing.clip(size: 224)
        #expect(cases.count >= 200)
        for item in cases {
            let square = preprocessing(
                try PictureDecoder.decode(PictureFixtures.data("sound", item.file), name: item.file))
            #expect(Digest.sha256(of: Data(square.pixels)) == item.clip224, "\(item.file)")
        }
    }

    @Test func everyModeAndFilterIsPillows() throws {
        let cases = try PictureFixtures.squares()
        #expect(cases.count >= 500)
        for item in cases {
            let image = try PictureDecoder.decode(PictureFixtures.data("sound", item.file), name: item.file)
            let square = try preprocessing(item)(image)
            let what = "\(item.file) → \(item.size) (\(item.edge ?? item.size)), \(item.mode), \(item.filter)"
            let difference = item.pixels.map { firstDifference(square.pixels, $0, width: item.size) } ?? "not stored"
            #expect(Digest.sha256(of: Data(square.pixels)) == item.square, "\(what): \(difference)")
        }
    }

    private func preprocessing(_ item: PictureFixtures.Square) throws -> ImagePreprocessing {
        let size = item.size
        let geometry =
            switch item.mode {
            case "shortest": SquareGeometry(size: size, resize: .shortestEdge(size))
            case "longest": SquareGeometry(size: size, resize: .longestEdge(size))
            case "squash", "rows-first": SquareGeometry(size: size, resize: .exact(width: size, height: size))
            case "torchvision": SquareGeometry(size: size, resize: .shortestEdge(try #require(item.edge)))
            default: SquareGeometry(size: size, resize: .shortestEdge(try #require(item.edge)), centring: .transformers)
            }
        let filter = try #require(ResamplingFilter.allCases.first { "\($0)" == item.filter })
        return ImagePreprocessing(
            geometry, filter: filter, passOrder: item.mode == "rows-first" ? .rowsFirst : .pillow13, fill: item.fill)
    }

    @Test func orderOfThePassesShows() {
        let image = RGBImage(
            width: 40, height: 90, pixels: (0..<40 * 90 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) })
        let geometry = SquareGeometry(size: 16, resize: .shortestEdge(16))
        #expect(ImagePreprocessing(geometry)(image) != ImagePreprocessing(geometry, passOrder: .rowsFirst)(image))
    }

    @Test func pictureOfTheRightSizeStaysAsItIs() throws {
        let image = RGBImage(width: 9, height: 9, pixels: (0..<9 * 9 * 3).map { UInt8(truncatingIfNeeded: $0 * 41) })
        for filter in ResamplingFilter.allCases {
            for resize: SquareGeometry.Resize in [
                .none, .shortestEdge(9), .longestEdge(9), .exact(width: 9, height: 9),
            ] {
                #expect(
                    ImagePreprocessing(SquareGeometry(size: 9, resize: resize), filter: filter)(image) == image,
                    "\(filter), \(resize)")
            }
        }
    }

    @Test func bordersAreFilled() {
        let image = RGBImage(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        let square = ImagePreprocessing(SquareGeometry(size: 3, resize: .none), fill: 9)(image)
        // A row and a column too many: torchvision puts the smaller half of a border in front.
        #expect(
            square.pixels == [9, 9, 9, 9, 9, 9, 9, 9, 9] + [1, 2, 3, 4, 5, 6, 9, 9, 9] + [9, 9, 9, 9, 9, 9, 9, 9, 9])
    }

    /// The longer side of a line is resized to millions of pixels, of which the square shows a few.
    @Test func linesCostNoMoreThanTheirSquares() {
        let line = RGBImage(width: 65_535, height: 1, grey: 77)
        for filter in ResamplingFilter.allCases {
            let square = ImagePreprocessing(SquareGeometry(size: 8, resize: .shortestEdge(8)), filter: filter)(line)
            #expect(square == RGBImage(width: 8, height: 8, grey: 77), "\(filter)")
        }
    }
}
