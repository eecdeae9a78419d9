import DenseMath
import Foundation
import Lens
import Testing

/// TextSpan on covariances against algorithm 1 on the data itself (scripts/make_textspan_fixtures.py).
@Suite struct TextSpanOracleTests {
    struct File: Decodable { let cases: [Case] }

    struct Case: Decodable {
        let name: String
        let width: Int
        let count: Int
        let rank: Int
        /// // [images, width]
        let outputs: [Float]
        /// // [texts, width]
        let texts: [Float]
        let chosen: [Int32]
        let explainedVariance: [Double]

        var textTensor: Tensor { Tensor(shape: [texts.count / width, width], elements: texts) }

        /// Of the outputs. // [width, width]
        var covariance: [Double] {
            let images = outputs.count / width
            let rows = (0..<images).map { outputs[$0 * width..<($0 + 1) * width].map(Double.init) }
            let mean = (0..<width).map { j in rows.reduce(0) { $0 + $1[j] } / Double(images) }
            return (0..<width * width).map { index in
                let (i, j) = (index / width, index % width)
                return rows.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / Double(images)
            }
        }
    }

    static func cases() throws -> [Case] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/TextSpan/cases.json")
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: file)).cases
    }

    @Test func listsMatchTheAlgorithmOnData() throws {
        let cases = try Self.cases()
        #expect(cases.count == 4)
        for sample in cases {
            let span = try TextSpan(
                covariance: sample.covariance, texts: sample.textTensor, count: sample.count, rank: sample.rank)
            #expect(span.entries.map(\.text) == sample.chosen, "\(sample.name)")
            let errors = zip(span.entries, sample.explainedVariance).map { Double($0.explainedVariance) - $1 }
            #expect(errors.largestMagnitude() < 1e-4, "\(sample.name)")
        }
    }

    /// They are orthonormal, and along them lies what the entries say.
    @Test func directionsExplainWhatTheEntriesSay() throws {
        for sample in try Self.cases() {
            let (covariance, d) = (sample.covariance, sample.width)
            let span = try TextSpan(
                covariance: covariance, texts: sample.textTensor, count: sample.count, rank: sample.rank)
            let directions = span.directions
            #expect(directions.shape == [span.entries.count, d])
            let products = directions.times(directions, transposed: true).elements.enumerated().map { index, product in
                Double(product) - (index / directions.shape[0] == index % directions.shape[0] ? 1 : 0)
            }
            #expect(products.largestMagnitude() < 1e-6, "\(sample.name): \(products.largestMagnitude())")
            let trace = (0..<d).reduce(0) { $0 + covariance[$1 * d + $1] }
            var explained = 0.0
            let errors = span.entries.indices.map { index in
                let u = directions[row: index].map(Double.init)
                explained += (0..<d * d).reduce(0) { $0 + u[$1 / d] * covariance[$1] * u[$1 % d] } / trace
                return explained - Double(span.entries[index].explainedVariance)
            }
            #expect(errors.largestMagnitude() < 1e-6, "\(sample.name): \(errors.largestMagnitude())")
        }
    }

    /// Lists of different lengths agree where both have entries.
    @Test func shorterListsAreBeginningsOfLongerOnes() throws {
        let sample = try #require(try Self.cases().first)
        let long = try TextSpan(covariance: sample.covariance, texts: sample.textTensor, count: 10, rank: 12)
        let short = try TextSpan(covariance: sample.covariance, texts: sample.textTensor, count: 3, rank: 12)
        #expect(short.entries == Array(long.entries.prefix(3)))
        #expect(long.entries.count == 10)
        #expect(
            try TextSpan(covariance: sample.covariance, texts: sample.textTensor, count: 0, rank: 12).entries.isEmpty)
        #expect(
            try TextSpan(covariance: sample.covariance, texts: sample.textTensor, count: 3, rank: 0).entries.isEmpty)
    }

    @Test func equalTextsAreChosenOnce() throws {
        // Variances 4, 2 and 1 along the axes.
        let covariance: [Double] = [4, 0, 0, 0, 2, 0, 0, 0, 1]
        let texts = Tensor(shape: [4, 3], elements: [0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 2, 0])
        let span = try TextSpan(covariance: covariance, texts: texts, count: 9, rank: 9)
        // Text 3 first: it is twice as long, so that its variance is 8. Of the equal texts 1 and 2 the first.
        #expect(span.entries.map(\.text) == [3, 1])
        #expect(abs((span.entries.first?.explainedVariance ?? 0) - 2.0 / 7) < 1e-6)
        #expect(abs((span.entries.last?.explainedVariance ?? 0) - 6.0 / 7) < 1e-6)
    }

    /// Much variance is left in the third dimension, into which no text but by rounding points.
    @Test func roundingErrorsOfTextsAreNotChosen() throws {
        let (first, second): ([Float], [Float]) = ([0.3, 0.5, 0.7], [0.1, -0.2, 0.9])
        let sum = zip(first, second).map { 0.37 * $0 + 1.1 * $1 }
        let texts = Tensor(shape: [4, 3], elements: first + second + sum + first.map { 1.7 * $0 })
        let covariance: [Double] = [5, 1, 0.2, 1, 3, 0.4, 0.2, 0.4, 1]
        let span = try TextSpan(covariance: covariance, texts: texts, count: 3, rank: 3)
        #expect(span.entries.count == 2)
        #expect((span.entries.last?.explainedVariance ?? 1) < 0.9)
    }

    @Test func aHeadThatWritesNothingHasNoTexts() throws {
        let texts = Tensor(shape: [2, 2], elements: [1, 0, 0, 1])
        #expect(try TextSpan(covariance: [0, 0, 0, 0], texts: texts, count: 2, rank: 2).entries.isEmpty)
        #expect(
            try TextSpan(covariance: [1, 0, 0, 1], texts: Tensor(zeros: [2, 2]), count: 2, rank: 2).entries.isEmpty)
        #expect(
            try TextSpan(covariance: [1, 0, 0, 1], texts: Tensor(zeros: [0, 2]), count: 2, rank: 2).entries.isEmpty)
    }

    @Test func whatIsNotFiniteIsRefused() {
        let texts = Tensor(shape: [1, 2], elements: [1, 0])
        #expect(throws: FactorisationError.notFinite) {
            try TextSpan(covariance: [.nan, 0, 0, 1], texts: texts, count: 1, rank: 2)
        }
        #expect(throws: FactorisationError.notFinite) {
            try TextSpan(
                covariance: [1, 0, 0, 1], texts: Tensor(shape: [1, 2], elements: [1, .infinity]), count: 1, rank: 2)
        }
    }
}
