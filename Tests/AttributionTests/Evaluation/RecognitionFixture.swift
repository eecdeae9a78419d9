import Foundation
import Testing

/// Scores and labels of images, and scikit-learn's average precision of every label: see scripts/make_surgery_fixtures.py.
struct RecognitionFixture: Decodable {
    let name: String
    /// // [images][labels]
    let scores: [[Float]]
    let present: [[Int]]
    let averagePrecisions: [Double]

    private struct File: Decodable {
        let recognition: [RecognitionFixture]
    }

    static func load() throws -> [RecognitionFixture] {
        let url = try #require(
            Bundle.module.url(forResource: "surgery-measures", withExtension: "json", subdirectory: "Fixtures"))
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: url)).recognition
    }
}
