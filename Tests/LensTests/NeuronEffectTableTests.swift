import DenseMath
import Foundation
import Foundations
import TestSupport
import Testing

@testable import Lens

/// What is said of one neuron's effects, beside scikit-learn and formulas written out;
/// `scripts/make_statistics_fixtures.py` writes the fixture.
@Suite struct NeuronEffectTableTests {
    private struct Fixture: Decodable {
        struct Case: Decodable {
            let count, width: Int
            let vectors, direction: [Float]
            let share, ratio, centredShare: Double
        }

        let cases: [Case]
    }

    @Test func sharesAreThoseOfTheSingularValuesAndOfPrincipalComponents() throws {
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Fixtures/principal-components.json")
        let cases = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: url)).cases
        #expect(cases.count == 4)
        for item in cases {
            let found = try PrincipalDirection(of: item.vectors, count: item.count, width: item.width)
            #expect(
                abs(Double(found.share) - item.share) < 1e-5 && abs(Double(found.ratio) - item.ratio) < 1e-5,
                "\(found.share), \(item.share)")
            #expect(
                abs(Double(found.centredShare) - item.centredShare) < 1e-5,
                "\(found.centredShare), \(item.centredShare)")
            let cosine = zip(found.vector, item.direction).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(abs(cosine) - 1) < 1e-5)
            let positive = (0..<item.count).count { row in
                zip(item.vectors[row * item.width..<(row + 1) * item.width], found.vector).reduce(0) {
                    $0 + $1.0 * $1.1
                } > 0
            }
            #expect(2 * positive >= item.count)
        }
        // The shares differ where the vectors have a mean, which the one keeps.
        #expect(cases[1].share > cases[1].centredShare + 0.1)
    }

    @Test func oneImageAndNoEffectsHaveNoSpread() throws {
        let one = try PrincipalDirection(of: [3, 4], count: 1, width: 2)
        #expect(
            one.share == 1 && one.centredShare == 0 && one.ratio == 0
                && zip(one.vector, [0.6, 0.8]).allSatisfy { abs($0 - $1) < 1e-6 })
        let equal = try PrincipalDirection(of: [3, 4, 3, 4, 3, 4], count: 3, width: 2)
        #expect(equal.centredShare == 0 && abs(equal.share - 1) < 1e-6)
        let none = try PrincipalDirection(of: [0, 0, 0, 0], count: 2, width: 2)
        #expect(none.vector == [0, 0] && none.share == 0 && none.ratio == 1)
        #expect(throws: FactorisationError.self) { try PrincipalDirection(of: [.nan, 0, 1, 0], count: 2, width: 2) }
    }

    @Test func directionsAreTurnedByAnAngle() {
        var random = SplitMix64(seed: 3)
        let rows = Tensor(shape: [40, 64], elements: random.normals(40 * 64)).rowsNormalised()
        let directions = PrincipalDirections(
            directions: Tensor(shape: [41, 64], elements: rows.elements + [Float](repeating: 0, count: 64)),
            shares: [1], ratios: [0.5])
        let turned = directions.turned(by: 0.01, &random)
        for row in 0..<40 {
            let cosine = zip(turned.directions[row: row], rows[row: row]).reduce(0.0) {
                $0 + Double($1.0) * Double($1.1)
            }
            // All but what falls on the direction itself, an eighth of its length.
            #expect((0.009...0.0101).contains(acos(min(cosine, 1))), "\(acos(cosine))")
        }
        #expect(turned.directions[row: 40].allSatisfy { $0 == 0 } && turned.shares == [1] && turned.ratios == [0.5])
    }

    // MARK: A table

    /// Centred: (3, 0), (−1, 0), (−1, 1), (−1, −1), with squares 9, 1, 2, 2.
    private let table = NeuronEffectTable([4, 5, 0, 5, 0, 6, 0, 4], width: 2)

    @Test func effectsAreLessTheirMean() {
        #expect(table.images == 4 && table.centred == [3, 0, -1, 0, -1, 1, -1, -1])
    }

    @Test func largestEffectsDecideTheDirection() throws {
        // The first and, of two equal ones, the earlier: (3, 0) and (−1, 1).
        let found = try table.principalDirection(keeping: 2)
        let expected = try PrincipalDirection(of: [3, 0, -1, 1], count: 2, width: 2)
        #expect(found == expected)
        #expect(
            try table.principalDirection(keeping: 9)
                == PrincipalDirection(of: [3, 0, -1, 1, -1, -1, -1, 0], count: 4, width: 2))
    }

    @Test func theShareOfAllImagesIsAlongTheDirection() {
        #expect(
            abs(table.share(along: [1, 0]) - 12.0 / 14) < 1e-9 && abs(table.share(along: [0, 1]) - 2.0 / 14) < 1e-9)
        #expect(NeuronEffectTable([5, 5, 5, 5], width: 2).share(along: [1, 0]) == 0)
    }

    /// 9 of 14 is more than half; with 2 and 2 it is 13, more than nine tenths.
    @Test func fewImagesHoldMostOfIt() {
        #expect(table.imagesHolding(0.5) == 0.25 && table.imagesHolding(0.9) == 0.75 && table.imagesHolding(1) == 1)
        #expect(NeuronEffectTable([5, 5, 5, 5], width: 2).imagesHolding(0.5).isNaN)
        // Equal effects are spread over all images.
        #expect(NeuronEffectTable([1, -1, 1, -1], width: 1).imagesHolding(0.5) == 0.5)
    }

    /// With weights that are written down it is their product; over many draws it has the covariance of the effects.
    @Test func gaussianEffectsHaveTheSameCovariance() {
        var random = SplitMix64(seed: 8)
        let weights = Tensor(shape: [4, 4], elements: random.normals(16))
        let drawn = table.gaussian(weights).centred
        for image in 0..<4 {
            for j in 0..<2 {
                let literal =
                    (0..<4).reduce(Float(0)) { $0 + weights.elements[image * 4 + $1] * table.centred[$1 * 2 + j] } / 2
                #expect(abs(drawn[image * 2 + j] - literal) < 1e-5)
            }
        }
        var sums: [Double] = [0, 0, 0]
        let draws = 4000
        for _ in 0..<draws {
            let drawn = table.gaussian(Tensor(shape: [4, 4], elements: random.normals(16))).centred
            for image in 0..<4 {
                let (x, y) = (Double(drawn[2 * image]), Double(drawn[2 * image + 1]))
                sums[0] += x * x
                sums[1] += x * y
                sums[2] += y * y
            }
        }
        // Σφφᵀ/n of the effects: 12/4, 0, 2/4.
        let covariance = sums.map { $0 / Double(4 * draws) }
        #expect(
            abs(covariance[0] - 3) < 0.15 && abs(covariance[1]) < 0.05 && abs(covariance[2] - 0.5) < 0.03,
            "\(covariance)")
    }
}

/// Random vectors that lie where others lie.
@Suite struct GaussianVectorsTests {
    @Test func theyHaveTheMeanAndCovariance() throws {
        var random = SplitMix64(seed: 2)
        let d = 3
        let mixing: [Float] = [2, 0, 0, 1, 0.5, 0, -1, 0.25, 0.1]
        let source = Tensor(
            shape: [500, d],
            elements: (0..<500).flatMap { _ -> [Float] in
                let z = random.normals(d)
                return (0..<d).map { j in Float(j) + (0..<d).reduce(0) { $0 + z[$1] * mixing[$1 * d + j] } }
            })
        let drawn = try GaussianVectors(like: source)(200_000, &random)
        func moments(_ rows: Tensor) -> (mean: [Double], covariance: [Double]) {
            let mean = rows.columnMeans
            var covariance = [Double](repeating: 0, count: d * d)
            for row in 0..<rows.shape[0] {
                for i in 0..<d {
                    for j in 0..<d {
                        covariance[i * d + j] +=
                            (Double(rows.elements[row * d + i]) - mean[i])
                            * (Double(rows.elements[row * d + j]) - mean[j])
                    }
                }
            }
            return (mean, covariance.map { $0 / Double(rows.shape[0]) })
        }
        let (expected, found) = (moments(source), moments(drawn))
        for (a, b) in zip(expected.mean, found.mean) { #expect(abs(a - b) < 0.03, "\(expected.mean), \(found.mean)") }
        for (a, b) in zip(expected.covariance, found.covariance) {
            #expect(abs(a - b) < 0.1, "\(expected.covariance), \(found.covariance)")
        }
    }

    /// As of a pool with fewer phrases than dimensions: what is drawn lies in the plane of what there is.
    @Test func fewVectorsSpanNoMore() throws {
        var random = SplitMix64(seed: 2)
        let source = Tensor(shape: [2, 3], elements: [1, 0, 5, -1, 0, 5])
        let drawn = try GaussianVectors(like: source)(100, &random)
        for row in 0..<100 {
            #expect(
                abs(drawn[row: row][drawn[row: row].startIndex + 1]) < 1e-2
                    && abs(drawn.elements[row * 3 + 2] - 5) < 1e-2)
        }
        #expect(Set(drawn.elements).count > 100)
        #expect(throws: FactorisationError.self) {
            try GaussianVectors(like: Tensor(shape: [1, 2], elements: [.nan, 0]))
        }
    }
}
