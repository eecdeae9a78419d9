import Foundation
import Testing

/// Measures that scikit-learn computed (scripts/make_average_precision_fixtures.py).
struct MeasureFixture: Decodable {
    struct Scores: Decodable, CustomTestStringConvertible {
        let name: String
        let scores: [Float]
        let labels: [Int]
        let averagePrecision: Double
        var testDescription: String { name }
    }

    struct Image: Decodable, CustomTestStringConvertible {
        let name: String
        let map: [Float]
        let mask: [UInt8]
        let threshold: Float
        let pixelAccuracy, background, foreground, averagePrecision: Double
        var testDescription: String { name }
    }

    struct Together: Decodable {
        let pixelAccuracy, background, foreground: Double
    }

    let scores: [Scores]
    let images: [Image]
    let together: Together

    static func load() throws -> MeasureFixture {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/segmentation-measures.json")
        return try JSONDecoder().decode(MeasureFixture.self, from: Data(contentsOf: file))
    }
}
