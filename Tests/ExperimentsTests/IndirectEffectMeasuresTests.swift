import DenseMath
import Foundation
import Lens
import Pipeline
import Testing

@testable import Experiments

/// Numbers of the indirect-effect experiment from directions made by hand.
@Suite struct IndirectEffectMeasuresTests {
    static let specText = """
        experiment: indirect-effect
        world: emoji
        model: m
        fit: {dataset: d, split: fit}
        significant-images: 10
        indirect-sample: {neurons: 2, images: 50}
        """

    static func spec(_ text: String = specText) throws -> IndirectEffectSpec {
        try IndirectEffectSpec(
            SpecDocument(text: text, path: "spec.yaml"), choices: HandMade.choices(layers: 0..<2, neurons: 5))
    }

    /// Of the first neurons: the second has nothing, which no image holds.
    private func summary(_ rows: Tensor, _ shares: [Float], ratios: [Float]) -> EffectSummary {
        func first(_ values: [Float]) -> [Float] { Array(values.prefix(rows.shape[0])) }
        return .init(
            directions: HandMade.directions(rows, shares: first(shares), ratios: first(ratios)),
            sharesOfAll: first([0.125, 0.375]),
            holdingHalf: first([0.125, .nan]), holdingNineTenths: first([0.5, .nan]),
            gaussianHalf: first([0.25, .nan]),
            gaussianNineTenths: first([0.75, .nan]))
    }

    /// Five neurons in layer 1, of which 1 and 3 were sampled.
    func measures(
        neurons: [Int32] = [1, 3], indirect: [Float] = [0.6, 0.8, 0, -1], identity: Double = 1e-6, fitCount: Int = 100
    ) throws
        -> IndirectEffectMeasures
    {
        let spec = try Self.spec()
        return IndirectEffectMeasures(
            spec: spec, layers: [1], isPartial: false, fitCount: fitCount,
            directions: FittedDirections(layers: [
                1: .init(
                    directions: HandMade.directions(
                        Tensor(shape: [5, 2], elements: [1, 0, 0, 1, 1, 0, 0, 1, 1, 0]),
                        shares: [0.9, 0.5, 0.1, 0.7, 0.3]),
                    thresholds: [1, 1, 1, 1, 1])
            ]),
            totals: EffectTotals(layers: [1: .init(squares: [2, 4, 0, 8, 1], along: [1, 1, 0, 6, 0.5])]),
            sampled: SampledEffects(layers: [
                1: .init(
                    neurons: neurons,
                    indirect: summary(
                        Tensor(shape: [neurons.count, 2], elements: indirect), [0.2, 0.6], ratios: [0.25, 0.96]),
                    secondOrder: summary(Tensor(zeros: [neurons.count, 2]), [0.5, 0.8], ratios: [0.5, 0.5]))
            ]),
            direct: NeuronDirectDirections(layers: [
                1: .init(directions: Tensor(shape: [5, 2], elements: [1, 0, 1, 0, 0, 1, 0.6, 0.8, 1, 0]))
            ]),
            trust: TrustFindings(
                fit: HandMade.fit, evaluation: HandMade.fit,
                decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [1: 1e-7]),
                overlap: nil))
    }

    func metric(_ metrics: [Metric], _ name: String, _ columns: [String: String]) throws -> Metric {
        try #require(
            metrics.first { row in
                row.name == name && columns.allSatisfy { row.subject[$0.key] == $0.value }
                    && row.subject.columns.count == columns.count
            })
    }

    @Test func sharesAreMeansOverNeurons() throws {
        let metrics = try measures().metrics()
        func row(_ effect: String, _ of: String, _ sample: String) throws -> Metric {
            try metric(metrics, "pc1-share", ["layer": "1", "effect": effect, "of": of, "sample": sample])
        }
        // All five neurons, the third of which has no effects at all.
        #expect(
            try row("second-order", "largest", "all").value.isNear(0.5) && row("second-order", "largest", "all").n == 5)
        #expect(try row("second-order", "largest-centred", "all").value.isNear(0.25))
        #expect(try row("second-order", "all", "all").value.isNear((0.5 + 0.25 + 0 + 0.75 + 0.5) / 5))
        // The two sampled, of both kinds.
        #expect(
            try row("second-order", "largest", "equal").value.isNear(0.65)
                && row("indirect", "largest", "equal").value.isNear(0.4))
        #expect(
            try row("indirect", "largest-centred", "equal").value.isNear(0.2)
                && row("indirect", "all", "equal").value.isNear(0.25))
        #expect(try row("indirect", "largest", "equal").note == "2 neurons chosen at random, 50 fit images")
        #expect(try row("indirect", "largest", "equal").interval?.resamplingUnit == "neuron")
        // Nobody measured the indirect effects of all.
        #expect(!metrics.contains { $0.subject["effect"] == "indirect" && $0.subject["sample"] == "all" })
        // 0.5 − 0.2 and 0.8 − 0.6, on the same images.
        let difference = try metric(metrics, "pc1-share-difference", ["layer": "1", "of": "largest"])
        #expect(difference.value.isNear(0.25) && difference.n == 2)
    }

    /// As with --limit: what is said is what there was.
    @Test func notesAndFootnotesSayHowManyImagesThereWere() throws {
        let few = try measures(fitCount: 30)
        let row = try metric(
            few.metrics(), "pc1-share", ["layer": "1", "effect": "indirect", "of": "largest", "sample": "equal"])
        #expect(row.note == "2 neurons chosen at random, 30 fit images")
        let text = IndirectEffectTables(few).layouts.flatMap { $0.footnotes + $0.columns.compactMap(\.group) }.joined(
            separator: " ")
        #expect(
            text.contains("the first 30 fit images") && text.contains("the same neurons and 30 images")
                && !text.contains("50"))
    }

    @Test func distributionsHaveTheirQuantiles() throws {
        let metrics = try measures().metrics()
        for (statistic, value) in [("p50", 0.65), ("p25", 0.575), ("p75", 0.725), ("p05", 0.515), ("p95", 0.785)] {
            let found = try metric(
                metrics, "pc1-share", ["layer": "1", "effect": "second-order", "statistic": statistic])
            #expect(
                found.value.isNear(value) && found.n == 2 && found.paper == nil,
                "\(statistic): \(String(describing: found.value))")
        }
    }

    @Test func imagesThatHoldTheEffectsStandBesideThoseOfChance() throws {
        let metrics = try measures().metrics()
        func row(_ holding: String, _ effects: String) throws -> Metric {
            try metric(
                metrics, "images-holding", ["layer": "1", "effect": "indirect", "holding": holding, "effects": effects])
        }
        // The second neuron has none, and counts nowhere.
        #expect(
            try row("half", "measured").value == 0.125 && row("half", "Gaussian").value == 0.25
                && row("half", "measured").n == 1)
        #expect(try row("nine tenths", "measured").value == 0.5 && row("nine tenths", "Gaussian").value == 0.75)
        let difference = try metric(
            metrics, "images-holding-difference", ["layer": "1", "effect": "indirect", "holding": "half"])
        #expect(difference.value == -0.125 && !difference.higherIsBetter)
    }

    @Test func neuronsWithoutAFirstDirectionAreCounted() throws {
        let metrics = try measures().metrics()
        #expect(try metric(metrics, "neurons-without-gap", ["layer": "1", "effect": "indirect"]).value == 0.5)
        #expect(try metric(metrics, "neurons-without-gap", ["layer": "1", "effect": "second-order"]).value == 0)
    }

    @Test func directionsAreComparedWithTheirOwnAndWithOthers() throws {
        // Both second-order directions are the second axis: 0.8 with the first indirect one, −1 with the second.
        let measures = try measures()
        #expect(zip(measures.ownCosines(.secondOrder, layer: 1), [0.8, -1]).allSatisfy { abs($0 - $1) < 1e-6 })
        let metrics = measures.metrics()
        let own = try metric(metrics, "direction-alignment", ["layer": "1", "with": "second-order", "pairing": "own"])
        #expect(abs((own.value ?? 0) - 0.9) < 1e-6)
        // What they write directly: (1, 0) with (0.6, 0.8), and (0.6, 0.8) with (0, −1).
        #expect(zip(measures.ownCosines(.direct, layer: 1), [0.6, -0.8]).allSatisfy { abs($0 - $1) < 1e-6 })
        let direct = try metric(metrics, "direction-alignment", ["layer": "1", "with": "direct", "pairing": "own"])
        #expect(abs((direct.value ?? 0) - 0.7) < 1e-6)
        let skewed = try self.measures(indirect: [1, 0, 0.6, 0.8]).metrics()
        // Own: 0 and 0.8. The first neuron's direction with the second's indirect one: 0.8, and the other way round: 0.
        #expect(
            abs(
                (try metric(skewed, "direction-alignment", ["layer": "1", "with": "second-order", "pairing": "own"])
                    .value ?? 0) - 0.4) < 1e-6)
        #expect(
            abs(
                (try metric(skewed, "direction-alignment", ["layer": "1", "with": "second-order", "pairing": "other"])
                    .value ?? 0) - 0.4) < 1e-6)
    }

    @Test func aSampleOfOneHasNoOther() throws {
        let metrics = try measures(neurons: [3], indirect: [0, 1]).metrics()
        let other = try metric(
            metrics, "direction-alignment", ["layer": "1", "with": "second-order", "pairing": "other"])
        #expect(other.status == .notRun && other.note?.contains("no other neuron") == true)
        let own = try metric(metrics, "direction-alignment", ["layer": "1", "with": "second-order", "pairing": "own"])
        #expect(own.value == 1 && own.interval == nil)
        #expect(metrics.allSatisfy { $0.status == .ok || $0.status == .notRun })
    }

    @Test func neuronsThatWereNotSampledStandInTheListWithoutIndirectEffect() throws {
        guard case .list(let header, let rows) = try measures().list.content else {
            Issue.record("no list")
            return
        }
        #expect(rows.count == 5 && rows.allSatisfy { $0.count == header.count })
        let numbers = rows.map { row in
            row.map { field -> Double in
                switch field {
                case .integer(let value): Double(value)
                case .number(let value): value
                case .text: .infinity
                }
            }
        }
        #expect(numbers[2].dropFirst(6).allSatisfy { $0.isNaN })
        let expected = [
            1, 3, 0.7, 0.75, 0.35, 0.25,
            0.8, 0.375, 0.4, 0.6, 0.375, 0.3, 0.5, 0.96, -1, -0.8,
        ]
        #expect(numbers[3].count == expected.count)
        for (index, pair) in zip(numbers[3], expected).enumerated() {
            #expect(abs(pair.0 - pair.1) < 1e-6, "\(header[index]): \(pair.0), expected \(pair.1)")
        }
    }

    @Test func directDirectionsComeBackByLayer() throws {
        let directions = NeuronDirectDirections(layers: [
            3: .init(directions: Tensor(shape: [2, 2], elements: [1, 0, 0, 1]))
        ])
        #expect(try NeuronDirectDirections(directions.stored()).layers == directions.layers)
    }

    @Test func thereIsNoSecondSetThatCouldOverlap() throws {
        let measures = try measures()
        #expect(!measures.metrics().contains { $0.name == "fit-evaluation-overlap" })
        #expect(measures.trust.failedControls() == [])
        #expect(
            try self.measures(identity: 0.01).trust.failedControls()
                == [.identityViolated(error: 0.01, tolerance: TrustFindings.identityTolerance(.fp32))])
    }

    @Test func everyCellOfTheTablesNamesARow() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        for row in IndirectEffectTables(measures).layouts.flatMap(\.rows) {
            for case .metric(let name, let subject, _) in row.cells {
                #expect(
                    metrics.contains { $0.name == name && Set($0.subject.columns) == Set(subject.columns) },
                    "\(name) \(subject)")
            }
        }
    }

    @Test(arguments: [
        ("indirect-sample: {neurons: 2, images: 50}", ""), ("neurons: 2", "neurons: 6"), ("images: 50}", "images: 1}"),
        ("significant-images: 10", "controls: {accuracy-floor: 0.8}"), ("neurons: 2, ", ""),
    ])
    func specsAreRefused(old: String, new: String) {
        #expect(Self.specText.contains(old))
        #expect(throws: SpecError.self) { try Self.spec(Self.specText.replacingOccurrences(of: old, with: new)) }
    }
}
