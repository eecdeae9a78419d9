import DenseMath
import Foundation
import Safetensors
import TestSupport
import Testing

@testable import Experiments

/// The tensors of a second-order export against equations (1) and (2) evaluated term by term.
@Suite struct SecondOrderExportTests {
    let sample: ExportSample
    /// More than a chunk, out of order, with gaps.
    let neurons = [69, 3] + Array(4..<68)

    init() throws { sample = try ExportSample() }

    func export(layer: Int, name: String = "out.safetensors", jobs: Int = 2, significant: Int = 11) throws
        -> SafetensorsFile
    {
        let selection = try #require(IndexSelection("69,3,4..<68"))
        try sample.export(
            .secondOrder(.init(layer: layer, neurons: selection, significantImages: significant)), to: name,
            workers: jobs)
        return try sample.file(name)
    }

    /// φ_n(I). // [images][neurons][d]
    func oracle(layer: Int) throws -> [[[Double]]] {
        try (0..<ExportSample.count).map { image in
            let literal = try sample.literal(image)
            return neurons.map { literal.secondOrderEffect(layer: layer, neuron: $0) }
        }
    }

    @Test(arguments: [0, 2]) func effectsAreThoseOfTheFormula(layer: Int) throws {
        let file = try export(layer: layer)
        let (J, d, K) = (neurons.count, 6, (3 - layer) * 2)
        let effects = try file.floats("effects")
        #expect(file.tensors["effects"]?.shape == [ExportSample.count, J, d])
        #expect(file.tensors["head-coordinates"]?.shape == [ExportSample.count, J, K])
        #expect(file.tensors["head-directions"]?.shape == [J, K, d])
        let expected = try oracle(layer: layer)
        var worst = 0.0
        for (image, neurons) in expected.enumerated() {
            for (n, effect) in neurons.enumerated() {
                let start = (image * J + n) * d
                worst = max(worst, relativeError(effects[start..<start + d], effect))
            }
        }
        #expect(worst < 1e-4, "worst effect: \(worst)")

        // The same from its parts: Σ_k s M + b.
        let (s, M, b) = (
            try file.floats("head-coordinates"), try file.floats("head-directions"), try file.floats("bias-shares")
        )
        for image in 0..<ExportSample.count {
            for n in 0..<J {
                let sum = (0..<d).map { j in
                    (0..<K).reduce(Double(b[image * d + j])) {
                        $0 + Double(s[(image * J + n) * K + $1]) * Double(M[(n * K + $1) * d + j])
                    }
                }
                #expect(relativeError(effects[(image * J + n) * d..<(image * J + n + 1) * d], sum) < 1e-5)
            }
        }
        for image in [0, ExportSample.count - 1] {
            let literal = try sample.literal(image)
            let found = try file.floats("representations")[image * d..<(image + 1) * d]
            #expect(relativeError(found, literal.representation.map { $0 * literal.scale }) < 1e-5)
        }
    }

    @Test func theFitIsThatOfTheCentredEffects() throws {
        let (file, expected) = (try export(layer: 1), try oracle(layer: 1))
        let (J, d, I, C) = (neurons.count, 6, ExportSample.count, 11)
        let (means, norms) = (try file.floats("mean-effects"), try file.floats("norms"))
        let (directions, shares) = (try file.floats("principal-directions"), try file.floats("second-moment-shares"))
        let thresholds = try file.floats("thresholds")
        for n in 0..<J {
            let mean = (0..<d).map { j in expected.reduce(0) { $0 + $1[n][j] } / Double(I) }
            #expect(relativeError(means[n * d..<(n + 1) * d], mean) < 1e-4)
            let centred = expected.map { zip($0[n], mean).map { $0 - $1 } }
            let lengths = centred.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
            #expect(relativeError((0..<I).map { norms[$0 * J + n] }, lengths) < 1e-4)

            let kept = lengths.indices.sorted { lengths[$0] > lengths[$1] }.prefix(C).map { centred[$0] }
            #expect(relativeError([thresholds[n]], [lengths.sorted(by: >)[C - 1]]) < 1e-4)
            let (direction, share) = Self.principal(kept)
            let found = directions[n * d..<(n + 1) * d].map(Double.init)
            let cosine = zip(found, direction).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(cosine > 1 - 1e-5, "neuron \(neurons[n]): \(cosine)")
            #expect(abs(Double(shares[n]) - share) < 1e-4)
        }
    }

    /// The first right singular vector by power iteration, signed by the majority, and its share of the squares.
    static func principal(_ rows: [[Double]]) -> ([Double], Double) {
        func length(_ x: [Double]) -> Double { x.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
        var vector = rows[0]
        for _ in 0..<5000 {
            var next = [Double](repeating: 0, count: vector.count)
            for row in rows {
                let along = dot(row, vector)
                for j in next.indices { next[j] += along * row[j] }
            }
            let size = length(next)
            vector = next.map { $0 / size }
        }
        let along = rows.map { dot($0, vector) }
        let share = along.reduce(0) { $0 + $1 * $1 } / rows.reduce(0) { $0 + dot($1, $1) }
        return (2 * along.count { $0 > 0 } < rows.count ? vector.map { -$0 } : vector, share)
    }

    @Test func theFileDoesNotDependOnTheNumberOfJobs() throws {
        _ = try export(layer: 1, name: "one", jobs: 1)
        try FileManager.default.removeItem(at: sample.results)
        _ = try export(layer: 1, name: "five", jobs: 5)
        let bytes = try ["one", "five"].map { try Data(contentsOf: sample.folder.appendingPathComponent($0)) }
        #expect(bytes[0] == bytes[1])
        #expect(try sample.outputs() == ["five", "one"])
    }

    @Test func whatIsNotWantedIsNotWritten() throws {
        let selection = try #require(IndexSelection("0...1"))
        try sample.export(
            .secondOrder(.init(layer: 0, neurons: selection, includesEffects: false, includesFit: false)),
            of: sample.selection(limit: 1))
        #expect(
            try Set(sample.file().tensors.keys) == [
                "head-coordinates", "head-directions", "bias-shares", "representations",
            ])
    }

    @Test(arguments: [
        (4, "0", ExportError.noSecondOrderEffects(layer: 4, layers: 4)),
        (3, "0", .noSecondOrderEffects(layer: 3, layers: 4)),
        (-1, "0", .noSecondOrderEffects(layer: -1, layers: 4)),
        (0, "0...70", .neuronOutOfRange(neuron: 70, neurons: 70)),
        (0, "1,1", .repeatedIndex(selection: "1,1")),
        (0, "0...999999999", .neuronOutOfRange(neuron: 999_999_999, neurons: 70)),
    ])
    func requestsAreCheckedAgainstTheModel(layer: Int, neurons: String, error: ExportError) throws {
        let selection = try #require(IndexSelection(neurons))
        #expect(throws: error) {
            try sample.export(.secondOrder(.init(layer: layer, neurons: selection)))
        }
        #expect(try sample.outputs() == [])
    }

    @Test func aFitNeedsTwoPictures() throws {
        let selection = try #require(IndexSelection("0"))
        #expect(throws: ExportError.tooFewPictures(found: 1, needed: 2)) {
            try sample.export(.secondOrder(.init(layer: 0, neurons: selection)), of: sample.selection(limit: 1))
        }
    }
}
