import Foundation
import DenseMath
import Lens
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// Figure 4, text shares and faithfulness from codes and predictions made by hand.
@Suite struct SparseTextMeasuresTests {
    /// Both columns have mean 0 and length √2, so that the dictionary's rows are ±100/√2 along an axis.
    static let pool = TextPool(
        phrases: ["east", "west", "north", "south"],
        embeddings: Tensor(shape: [4, 2], elements: [1, 0, -1, 0, 0, 1, 0, -1]))

    /// The coefficient that makes a unit vector of a phrase.
    static let unit = Float(2.0.squareRoot() / 100)

    /// Neuron 0 along (0.6, 0.8): east, then north. Neuron 1 along (0, −1): half of it against north, and no second phrase.
    static let codes = SparseCodes(
        sizes: [1, 2], atoms: [0, 2, 2, -1],
        coefficients: Tensor(
            shape: [2, 2, 2], elements: [0.6, 0, -0.5, 0, 0.6, 0.8, -0.5, 0].map { $0 * unit }))

    /// Of two phrases: east for the first neuron, and nothing for the second.
    static let chance = SparseCodes(
        sizes: [2], atoms: [0, -1, -1, -1], coefficients: Tensor(shape: [1, 2, 2], elements: [0.6 * unit, 0, 0, 0]))

    static let labels: [Int32] = [0, 1, 2, 0]

    func measures(floor: Double = 0.5) throws -> SparseTextMeasures {
        let spec = try SparseTextSpec(
            HandMade.document(
                "sparse-text",
                """
                pools: [{name: words, source: names-and-keywords}]
                sizes: [2, 1]
                description: {pool: words, size: 2, neurons: 4}
                held-out-images: 3
                controls: {accuracy-floor: \(floor)}
                """), choices: HandMade.choices)
        // Right on 4, 3 images for the sizes of layer 0 and on 2 by chance, on 2, 0 and 1 for those of layer 1.
        let right = [4, 3, 2, 2, 0, 1]
        let said = (0..<4).flatMap { image in
            right.map { image < $0 ? Self.labels[image] : (Self.labels[image] + 1) % 3 }
        }
        var references = AblationPredictions(layers: [0, 1])
        for image in 0..<4 {
            for layer in 0..<2 {
                for condition in AblationPredictions.conditions {
                    let right =
                        [
                            AblationCondition.baseline.rawValue: 3,
                            AblationCondition.withoutAllNeurons.rawValue: 1 - layer,
                            AblationCondition.reconstructionFromPC1.rawValue: 2,
                        ][condition] ?? 4
                    references.labels.append(image < right ? Self.labels[image] : (Self.labels[image] + 1) % 3)
                    references.margins.append(1)
                }
            }
        }
        let scores = Faithfulness.Layer(
            own: Tensor(shape: [2, 2], elements: [0.5, 0.25, 1, 0.5]),
            shuffled: Tensor(shape: [2, 2], elements: [0, 0.25, -0.5, 0]), direction: [0.75, 0.5],
            directionShuffled: [0.25, -0.5])
        let random = Faithfulness.Layer(
            own: Tensor(shape: [1, 2], elements: [0.25, 0]), shuffled: Tensor(shape: [1, 2], elements: [0, 0]),
            direction: [0.75, 0.5],
            directionShuffled: [0.25, -0.5])
        let rows = Tensor(shape: [2, 2], elements: [0.6, 0.8, 0, -1])
        return SparseTextMeasures(
            spec: spec, layers: [0, 1], classNames: ["cat", "dog", "pig"], isPartial: false, heldOut: 3,
            labels: Self.labels,
            directions: HandMade.directions([0: rows, 1: rows], shares: 0.625),
            texts: [
                .init(
                    name: "words", pool: Self.pool, codes: FittedSparseTexts(layers: [0: Self.codes, 1: Self.codes]),
                    faithfulness: Faithfulness(images: 3, layers: [0: scores, 1: scores]), sizes: [1, 2]),
                .init(
                    name: "words-random", pool: Self.pool,
                    codes: FittedSparseTexts(layers: [0: Self.chance, 1: Self.chance]),
                    faithfulness: Faithfulness(images: 3, layers: [0: random, 1: random]), sizes: [2]),
            ],
            predictions: try HandMade.predictions(said, margins: [2], conditions: 6),
            references: references,
            similarities: PhraseSimilarities(
                layers: [
                    0: .init(neurons: [0.5, .nan, 0.25], randomDirections: [0.125, 0.375]),
                    1: .init(neurons: [.nan, .nan, .nan], randomDirections: [0.125, 0.375]),
                ], randomPhrases: 0.0625),
            trust: HandMade.trust())
    }

    @Test func accuraciesStandUnderTheirLayerPoolAndSize() throws {
        let metrics = try measures().metrics()
        for (layer, m, expected) in [("0", "1", 1), ("0", "2", 0.75), ("1", "1", 0.5), ("1", "2", 0)] {
            #expect(metrics.value("accuracy", ["layer": layer, "pool": "words", "m": m]) == expected)
        }
        #expect(metrics.value("accuracy", ["condition": "baseline"]) == 0.75)
        #expect(metrics.value("accuracy", ["layer": "0", "condition": "without-all-neurons"]) == 0.25)
        #expect(metrics.value("accuracy", ["layer": "1", "condition": "without-all-neurons"]) == 0)
        #expect(
            metrics.value("accuracy", ["layer": "1", "condition": AblationCondition.reconstructionFromPC1.rawValue])
                == 0.5)
        #expect(metrics.value("fit-evaluation-overlap", [:]) == 0)
    }

    /// Random vectors explain and classify as well as they do: what phrases do more is what words have.
    @Test func phrasesStandBesideRandomVectors() throws {
        let metrics = try measures().metrics()
        #expect(metrics.value("accuracy", ["layer": "0", "pool": "words-random", "m": "2"]) == 0.5)
        #expect(metrics.value("accuracy", ["layer": "1", "pool": "words-random", "m": "2"]) == 0.25)
        let words = ["layer": "0", "pool": "words", "m": "2"]
        let accuracy = try #require(metrics.row("accuracy-over-random", words))
        #expect(accuracy.value == 0.25 && accuracy.n == 4 && accuracy.interval?.resamplingUnit == "image")
        #expect(metrics.value("accuracy-over-random", ["layer": "1", "pool": "words", "m": "2"]) == -0.25)
        // 1 and 0.75 of the phrases, 0.36 and 0 by chance.
        #expect(metrics.value("text-explains-direction-over-random", words).isNear((0.64 + 0.75) / 2))
        #expect(metrics.value("faithfulness-over-random", words) == 0.625)
    }

    @Test func phrasesOfNeuronsAreComparedWithThoseOfRandomDirections() throws {
        let metrics = try measures().metrics()
        func row(_ layer: String, _ phrases: String) throws -> Metric {
            try #require(metrics.row("phrase-similarity", ["layer": layer, "phrases": phrases]))
        }
        // The second neuron speaks for one phrase only.
        #expect(try row("0", "of a neuron").value == 0.375 && row("0", "of a neuron").n == 2)
        #expect(try row("0", "of a random direction").value == 0.25 && row("0", "of the pool").value == 0.0625)
        #expect(try row("1", "of a neuron").status == .notRun)
    }

    @Test func sharesOfDirectionsAreThoseOfTheirPhrases() throws {
        let measures = try measures()
        // 1 − 0.8² and 1 − 0.5²; with both phrases the first direction is complete.
        let (one, two) = (
            measures.textShares(layer: 0, pool: 0, size: 0), measures.textShares(layer: 0, pool: 0, size: 1)
        )
        #expect(abs(one[0] - 0.36) < 1e-6 && abs(one[1] - 0.75) < 1e-6, "\(one)")
        #expect(abs(two[0] - 1) < 1e-6 && abs(two[1] - 0.75) < 1e-6, "\(two)")
        let metrics = measures.metrics()
        let row = try #require(metrics.row("text-explains-direction", ["layer": "1", "pool": "words", "m": "1"]))
        #expect(row.value.isNear(0.555) && row.n == 2 && row.dataset == "d/fit")
        #expect(row.interval?.resamplingUnit == "neuron")
    }

    @Test func faithfulnessIsAMeanOverNeurons() throws {
        let metrics = try measures().metrics()
        let row = try #require(metrics.row("faithfulness", ["layer": "0", "pool": "words", "m": "1"]))
        #expect(row.value == 0.375 && row.unit == "correlation" && row.note?.contains("first 3 images") == true)
        #expect(metrics.value("faithfulness", ["layer": "0", "pool": "words", "m": "2"]) == 0.75)
        #expect(metrics.value("faithfulness-shuffled", ["layer": "0", "pool": "words", "m": "2"]) == -0.25)
        #expect(metrics.value("faithfulness", ["layer": "1", "description": "the direction itself"]) == 0.625)
        #expect(
            metrics.value("faithfulness-shuffled", ["layer": "1", "description": "the direction itself"]) == -0.125)
    }

    @Test func everyCellOfTheTablesHasItsMetric() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        for layout in SparseTextTables(measures).layouts {
            for row in layout.rows {
                #expect(row.cells.count == layout.columns.count, "\(layout.title)")
                for case .metric(let name, let subject, _) in row.cells {
                    let columns = Dictionary(uniqueKeysWithValues: subject.columns.map { ($0.name, $0.value) })
                    #expect(metrics.row(name, columns) != nil, "\(name) \(columns)")
                }
            }
        }
    }

    @Test func theListHasEveryNeuronWithItsSignedPhrases() throws {
        let list = NeuronDescriptions(try measures()).list
        #expect(list.name == "neurons.csv")
        guard case .list(let header, let rows) = list.content else {
            Issue.record("not a list")
            return
        }
        #expect(rows.count == 4 && rows.allSatisfy { $0.count == header.count })
        func field(_ row: Int, _ name: String) throws -> Pipeline.Attachment.Field {
            let column = try #require(header.firstIndex(of: name))
            return rows[row][column]
        }
        // The longest part first: 0.8 along north, then 0.6 along east.
        #expect(try field(0, "phrases") == .text("north; east"))
        #expect(try field(1, "phrases") == .text("north"))
        #expect(try field(2, "layer") == .integer(1) && field(2, "neuron") == .integer(0))
        #expect(try field(3, "faithfulness") == .number(0.5) && field(3, "faithfulness_shuffled") == .number(0))
        #expect(try field(0, "pool") == .text("words"))
        guard case .text(let negative) = try field(1, "weights"), case .text(let weights) = try field(0, "weights")
        else {
            Issue.record("weights are no text")
            return
        }
        #expect(negative.hasPrefix("[-"))
        let numbers = try JSONDecoder().decode([Double].self, from: Data(weights.utf8))
        #expect(numbers.count == 2 && abs(numbers[0] - 0.8) < 1e-5 && abs(numbers[1] - 0.6) < 1e-5, "\(weights)")
    }

    @Test func theTableOfNeuronsIsDrawnBySeedFromAllLayers() throws {
        let table = NeuronDescriptions(try measures()).table
        #expect(table.rows.map { $0.header.prefix(2) } == ["0.", "0.", "1.", "1."])
        #expect(try NeuronDescriptions(measures()).table == table)
        for row in table.rows {
            let expected: [TableLayout.Cell] =
                row.header.hasSuffix(".0")
                ? [.text("62.5"), .text("100.0"), .text("1.00"), .text("+north (0.80), +east (0.60)")]
                : [.text("62.5"), .text("75.0"), .text("0.50"), .text("−north (0.50)")]
            #expect(row.cells == expected)
        }
    }

    @Test func predictionsStandUnderTheConditionOfTheirAccuracy() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        let sets = measures.predictionSets()
        #expect(sets.count == 6)
        for set in sets {
            let columns = Dictionary(uniqueKeysWithValues: set.condition.columns.map { ($0.name, $0.value) })
            let share = Double(set.predictions.count { $0.label == $0.prediction }) / Double(set.predictions.count)
            #expect(metrics.value("accuracy", columns) == share)
        }
    }

    @Test func aModelBelowTheFloorIsNotTrusted() throws {
        #expect(try measures().failedControls() == [])
        #expect(try measures(floor: 0.8).failedControls() == [.accuracyBelowFloor(accuracy: 0.75, floor: 0.8)])
    }

    @Test func descriptionsHaveToNameAPoolAndASizeOfTheSpec() throws {
        func kind(_ description: String, pools: String = "[{name: words, source: captions}]") throws -> SpecFault.Kind?
        {
            let document = try HandMade.document(
                "sparse-text",
                """
                pools: \(pools)
                sizes: [4, 8]
                description: \(description)
                held-out-images: 3
                controls: {accuracy-floor: 0.5}
                """)
            return #expect(throws: SpecError.self) {
                try SparseTextSpec(document, choices: HandMade.choices)
            }?.faults.first?.kind
        }
        guard case .unknownChoice(_, "word", "words", _) = try kind("{pool: word, size: 4}") else {
            Issue.record("another pool passed")
            return
        }
        #expect(
            try kind("{pool: words, size: 5}")
                == .invalid(key: "description.size", reason: "5 is none of the sizes [4, 8]"))
        for pool in ["{name: a}", "{name: a, source: captions, file: b.txt}"] {
            #expect(
                try kind("{pool: a, size: 4}", pools: "[\(pool)]")
                    == .invalid(key: "pools[0].name", reason: "a pool has one of 'source', 'file' and 'data'"))
        }
        #expect(
            try kind(
                "{pool: a, size: 4}", pools: "[{name: a, source: captions}, {name: a, source: names-and-keywords}]")
                == .invalid(key: "pools[1].name", reason: "there are two pools called 'a'"))
        #expect(
            try kind(
                "{pool: a, size: 4}",
                pools: "[{name: a, source: captions}, {name: a-random, source: names-and-keywords}]")
                == .invalid(
                    key: "pools", reason: "'a-random' is what the random vectors beside another pool are called"))
    }
}
