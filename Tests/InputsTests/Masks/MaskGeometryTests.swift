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

    @Test func everyPixelIsPillows() throws {
        let cases = try Fixtures.cases(Case.self, "masks.json")
        #expect(cases.count > 200)
        for item in cases {
            let found = try item.geometry.mask(
                Array(0..<item.width * item.height), width: item.width, height: item.height,
                image: (item.width, item.height), size: item.size)
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
            try geometry.mask(Array(numbers.prefix(width * height)), width: width, height: height, image: (width, height), size: 10)
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
                    [UInt8](repeating: 0, count: item.labels), width: item.mask.0, height: item.mask.1, image: item.image,
                    size: 8)
            }
            let expected = InputError.maskOfAnotherSize(mask: [item.mask.0, item.mask.1], image: [item.image.width, item.image.height])
            #expect(error == expected)
        }
    }
}
