import Foundation
import Testing

@testable import Pipeline

/// Differences of numbers of the same images.
@Suite struct PairedDifferenceTests {
    private let count = 400

    private func names(_ count: Int) -> [String] { (0..<count).map { "val/\(1000 + $0)" } }

    private func means(_ values: [Double]) throws -> ImageTerms {
        try #require(
            ImageTerms(
                images: names(values.count), values.enumerated().map { .init(image: $0.offset, numerator: $0.element) })
        )
    }

    /// Numbers in 0…1 that look like chance.
    private func values(_ seed: Double) -> [Double] {
        (0..<count).map { index in
            let large: Double = sin(Double(index) * 12.9898 + seed) * 43758.5453
            return abs(large).truncatingRemainder(dividingBy: 1)
        }
    }

    @Test func aDifferenceOfMeansHasTheErrorOfTheMeanOfDifferences() throws {
        let (base, noise) = (values(0), values(1))
        let head = zip(base, noise).map { $0 + 0.02 * $1 }
        let result = try #require(try Bootstrap().difference(means(base), means(head)))
        let differences = zip(head, base).map(-)
        let mean = differences.reduce(0, +) / Double(count)
        let deviation = (differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)).squareRoot()
        #expect(abs(result.value - mean) < 1e-12)
        // Much less than that of the means themselves: the images are the same. 1000 replicates tell 7 % (three sigma).
        let expected = deviation / Double(count).squareRoot()
        #expect(abs(result.standardError / expected - 1) < 0.07, "\(result.standardError)")
        #expect(
            result.interval.lower < mean && mean < result.interval.upper && result.interval.resamplingUnit == "image")
        #expect(result.probability < 1e-6)
    }

    @Test func noiseIsNoDifference() throws {
        let (base, noise) = (values(0), values(1))
        let middle = noise.reduce(0, +) / Double(count)
        let head = zip(base, noise).map { $0 + 0.02 * ($1 - middle) + 1e-6 }
        let result = try #require(try Bootstrap().difference(means(base), means(head)))
        #expect(result.probability > 0.9, "\(result.probability)")
    }

    @Test func theProbabilityIsThatOfTheNormalDistribution() {
        func probability(_ value: Double, _ error: Double) -> Double {
            PairedDifference(
                value: value, standardError: error,
                interval: .init(
                    lower: 0, upper: 0, level: 0.95, method: "", replicates: 2, seed: 0, resamplingUnit: "image")
            ).probability
        }
        // Two-sided, of the tables of the normal distribution.
        #expect(abs(probability(1.959964, 1) - 0.05) < 1e-6)
        #expect(abs(probability(-2.575829, 1) - 0.01) < 1e-6)
        #expect(probability(0, 0) == 1 && probability(0, 1) == 1)
        #expect(probability(1e-9, 0) == 0, "every sample of the images shows the same difference")
    }

    @Test func ratiosByPartAreThoseOfTheSums() throws {
        // Two classes: intersections and unions of each image.
        let images: [[(Double, Double)]] = [[(1, 2), (0, 4)], [(3, 4), (4, 4)], [(0, 0), (2, 8)]]
        let terms = try #require(
            ImageTerms(
                images: names(3), parts: ["a", "b"],
                images.enumerated().flatMap { image, parts in
                    parts.enumerated().map { .init(image: image, part: $0, numerator: $1.0, denominator: $1.1) }
                }))
        let (dogs, cats) = (4.0 / 6, 6.0 / 16)
        #expect(terms.value == (dogs + cats) / 2)
        #expect(terms.terms.count == 5, "an image adds nothing where it has no pixels")
        // All replicates literally: the mean over the classes that the drawn images show.
        let none = try #require(
            ImageTerms(images: names(3), parts: ["a"], (0..<3).map { .init(image: $0, numerator: 0) }))
        let result = try #require(Bootstrap(replicates: 200).difference(none, terms))
        #expect(result.value == terms.value)
        #expect(result.interval.lower >= 0.125 && result.interval.upper <= 1)
    }

    @Test func otherImagesAreNotPaired() throws {
        let all = try means(values(0))
        #expect(try Bootstrap().difference(all, means(Array(values(0).dropLast()))) == nil)
        #expect(Bootstrap().difference(all, all)?.probability == 1)
        #expect(ImageTerms(images: ["a"], [.init(image: 0, numerator: .nan)]) == nil)
        #expect(try means([]).value.isNaN)
    }
}
