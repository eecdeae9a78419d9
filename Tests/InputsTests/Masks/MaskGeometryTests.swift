import Inputs
import Testing

/// Masks reach the model's size as Pillow brings them there.
@Suite struct MaskGeometryTests {
    struct Case: Decodable {
        let width: Int
        let height: Int
        let size: Int
        let geometry: MaskGeometry
        let columns: [Int]
        let rows: [Int]
    }

    /// The shorter side to the model's size, then the middle.
    private static func clip(_ size: Int) -> SquareGeometry { SquareGeometry(size: size, resize: .shortestEdge(size)) }

    /// Masks follow whatever brings the picture to the model: each pixel comes from where the picture's does.
    @Test(arguments: [
        SquareGeometry(size: 6, resize: .shortestEdge(9)), SquareGeometry(size: 6, resize: .shortestEdge(4)),
        SquareGeometry(size: 7, resize: .shortestEdge(8), centring: .transformers),
        SquareGeometry(size: 7, resize: .shortestEdge(8)),
        SquareGeometry(size: 5, resize: .exact(width: 9, height: 5)), SquareGeometry(size: 9, resize: .none),
    ]) func alignedMasksLieOnTheirPictures(square: SquareGeometry) throws {
        for (width, height) in [(8, 8), (17, 8), (8, 13)] {
            let numbers = (0..<width * height).map { UInt8($0) }
            // With the same filter, the picture's red channel is the mask.
            let picture = RGBImage(width: width, height: height, pixels: numbers.flatMap { [$0, 0, 1] })
            let expected = ImagePreprocessing(square, filter: .nearest, passOrder: .rowsFirst, fill: 254)(picture)
            let found = try MaskGeometry.aligned.mask(
                numbers, width: width, height: height, image: (width, height), square: square, border: 254)
            #expect(
                found == stride(from: 0, to: expected.pixels.count, by: 3).map { expected.pixels[$0] },
                "\(width)×\(height)")
        }
    }

    @Test func everyPixelIsPillows() throws {
        let cases = try Fixtures.cases(Case.self, "masks.json")
        #expect(cases.count > 200)
        for item in cases {
            let found = try item.geometry.mask(
                Array(0..<item.width * item.height), width: item.width, height: item.height,
                image: (item.width, item.height), square: Self.clip(item.size), border: -1)
            let expected = item.rows.flatMap { row in item.columns.map { row * item.width + $0 } }
            let wrong = zip(found, expected).count { $0 != $1 }
            #expect(
                found.count == item.size * item.size && wrong == 0,
                "\(item.width)×\(item.height) → \(item.size), \(item.geometry): \(wrong) of \(expected.count) pixels")
        }
    }

    @Test func geometriesDifferUnlessTheImageIsSquare() throws {
        let numbers = Array(0..<30 * 20)
        func mask(_ geometry: MaskGeometry, _ width: Int, _ height: Int) throws -> [Int] {
            try geometry.mask(
                Array(numbers.prefix(width * height)), width: width, height: height, image: (width, height),
                square: Self.clip(10), border: -1)
        }
        #expect(try mask(.aligned, 30, 20) != mask(.squashed, 30, 20))
        #expect(try mask(.aligned, 20, 20) == mask(.squashed, 20, 20))
    }

    @Test(arguments: MaskGeometry.allCases) func masksThatAreNotTheImagesAreRefused(geometry: MaskGeometry) {
        let cases: [(labels: Int, mask: (Int, Int), image: (width: Int, height: Int))] = [
            (0, (0, 0), (0, 0)), (0, (0, 4), (0, 4)), (12, (4, 3), (3, 4)), (12, (4, 3), (4, 4)), (11, (4, 3), (4, 3)),
            (12, (-4, -3), (-4, -3)),
        ]
        for item in cases {
            let error = inputError {
                try geometry.mask(
                    [UInt8](repeating: 0, count: item.labels), width: item.mask.0, height: item.mask.1,
                    image: item.image,
                    square: Self.clip(8), border: 255)
            }
            let expected = InputError.maskOfAnotherSize(
                mask: [item.mask.0, item.mask.1], image: [item.image.width, item.image.height])
            #expect(error == expected)
        }
    }
}
