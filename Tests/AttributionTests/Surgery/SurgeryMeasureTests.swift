import DenseMath
import Foundation
import TestSupport
import Testing

@testable import Attribution

/// Points and measures against NumPy, PyTorch's resizing and scikit-learn.
@Suite struct SurgeryMeasureTests {
    private struct Fixture: Decodable {
        struct Points: Decodable {
            let name: String
            let map: [[Float]]
            let height, width: Int
            let halved: [[Double]]
            let positive, negative: [[Int]]
        }
        struct Combined: Decodable {
            let name: String
            let maps: [[[Float]]]
            let height, width: Int
            let positive, negative: [[Int]]
        }
        struct Pair: Decodable {
            let map: [[Float]]
            let mask: [[UInt8]]
        }
        struct Explanation: Decodable {
            let pairs: [Pair]
            let scoreContrasts, thresholds, foregroundIoU: [Double]
            let meanScoreContrast, bestThreshold, bestForegroundIoU: Double
        }
        let points: [Points]
        let combinedPoints: [Combined]
        let explanation: Explanation
    }

    private let fixture: Fixture

    init() throws {
        let url = try #require(
            Bundle.module.url(forResource: "surgery-measures", withExtension: "json", subdirectory: "Fixtures"))
        fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url))
    }

    private func map(_ rows: [[Float]]) -> HeatMap { HeatMap(side: rows.count, values: rows.flatMap { $0 }) }
    private func pairs(_ points: [PointPrompts.Point]) -> [[Int]] { points.map { [$0.x, $0.y] } }

    @Test func pointsOfAMap() {
        for item in fixture.points {
            let map = map(item.map)
            let halved = relativeError(map.resized(to: map.side / 2).normalised().values, item.halved.flatMap { $0 })
            #expect(halved < 1e-5, "\(item.name): halved map off by \(halved)")
            let points = PointPrompts(map, width: item.width, height: item.height)
            #expect(pairs(points.positive) == item.positive, "\(item.name)")
            #expect(pairs(points.negative) == item.negative, "\(item.name)")
        }
    }

    @Test func pointsOfSeveralTexts() {
        for item in fixture.combinedPoints {
            let points = PointPrompts(together: item.maps.map(map), width: item.width, height: item.height)
            #expect(pairs(points.positive) == item.positive, "\(item.name)")
            #expect(pairs(points.negative) == item.negative, "\(item.name)")
        }
    }

    /// The public code divides by zero on these.
    @Test func mapsWithoutDifferencesAndOfOneCellHaveNoPoints() {
        let flat = PointPrompts(HeatMap(side: 4, values: [Float](repeating: 2, count: 16)), width: 8, height: 8)
        #expect(flat.positive.isEmpty && flat.negative.isEmpty)
        let one = PointPrompts(HeatMap(side: 1, values: [1]), width: 8, height: 8)
        #expect(one.positive.isEmpty && one.negative.isEmpty)
    }

    @Test func scoreContrast() throws {
        let explanation = fixture.explanation
        for (pair, expected) in zip(explanation.pairs, explanation.scoreContrasts) {
            let found = try #require(try ScoreContrast.value(map: unit(pair), mask: pair.mask.flatMap { $0 }))
            #expect(abs(100 * found - expected) < 1e-4, "\(100 * found), expected \(expected)")
        }
        #expect(try ScoreContrast.value(map: [0, 1], mask: [1, 1]) == nil)
        #expect(try ScoreContrast.value(map: [0, 1], mask: [0, 255]) == nil)
        #expect(try ScoreContrast.value(map: [0.25, 1, 0.5], mask: [0, 255, 1]) == 0.25)
    }

    @Test func intersectionAtEveryThreshold() throws {
        let explanation = fixture.explanation
        #expect(
            IntersectionCurve.hundredths.thresholds.map { (Double($0) * 100).rounded() / 100 } == explanation.thresholds
        )
        let curves = try explanation.pairs.map {
            try #require(try IntersectionCurve.hundredths.ratios(map: unit($0), mask: $0.mask.flatMap { $0 }))
        }
        for (index, expected) in explanation.foregroundIoU.enumerated() {
            let found = curves.map { Double($0[index]) }.reduce(0, +) / Double(curves.count)
            #expect(abs(found - expected) < 1e-6, "threshold \(index): \(found), expected \(expected)")
        }
        #expect(try IntersectionCurve.hundredths.ratios(map: [0, 1], mask: [0, 255]) == nil)
        // Nothing exceeds 1, everything but the smallest value exceeds 0.
        let ends = try #require(try IntersectionCurve(thresholds: [0, 1]).ratios(map: [0, 0.5, 1], mask: [1, 1, 0]))
        #expect(ends == [Float(1) / 3, 0])
    }

    private func unit(_ pair: Fixture.Pair) -> [Float] {
        let values = pair.map.flatMap { $0 }
        let (smallest, largest) = (values.min() ?? 0, values.max() ?? 1)
        return values.map { ($0 - smallest) / (largest - smallest) }
    }

    @Test func averagePrecisionOfEveryLabel() throws {
        for item in try RecognitionFixture.load() {
            for (label, expected) in item.averagePrecisions.enumerated() {
                let found = AveragePrecision.value(
                    scores: item.scores.map { $0[label] }, labels: item.present.map { $0[label] == 1 })
                #expect(abs(found - expected) < 1e-9, "\(item.name), label \(label): \(found), expected \(expected)")
            }
        }
    }
}
