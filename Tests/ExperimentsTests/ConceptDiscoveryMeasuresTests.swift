import DenseMath
import Lens
import Pipeline
import Testing

@testable import Experiments

/// Discovered phrases against what scenes show, by hand.
@Suite struct ConceptDiscoveryMeasuresTests {
    static let phrases = ["cat", "kitty", "dog", "puppy", "sun"]
    static let truths: [[Set<String>]] = [
        [["cat", "kitty"]], [["dog", "puppy"], ["sun"]], [["sun"]], [["cat", "kitty"], ["dog", "puppy"]],
    ]

    /// Rows of the pool by image, then by score: norm, signed, similarity.
    static let found: [[[Int32]]] = [
        [[0, 1], [0, 4], [2, 3]],
        [[2, 4], [4, 0], [-1, -1]],
        [[0, 1], [4, -1], [4, 0]],
        [[0, 2], [1, 0], [3, 4]],
    ]

    func measures() throws -> ConceptDiscoveryMeasures {
        let spec = try ConceptDiscoverySpec(
            HandMade.document(
                "concept-discovery",
                """
                images: 4
                pools: [{name: words, source: names-and-keywords}]
                sizes: [8, 4]
                size: 8
                phrases: 2
                """), choices: HandMade.choices)
        var found = ConceptPhrases(kept: 2)
        found.phrases = Self.found.flatMap { $0.flatMap { $0 } }
        found.scores = [Float](repeating: 1, count: found.phrases.count)
        found.active = [3, 5, 0, 2]
        return ConceptDiscoveryMeasures(
            spec: spec, isPartial: true,
            pool: TextPool(phrases: Self.phrases, embeddings: Tensor(zeros: [5, 2])), found: found, truths: Self.truths,
            decomposition: HandMade.trust())
    }

    @Test func hitsAreThePhrasesThatTheSceneBearsOut() throws {
        let measures = try measures()
        #expect(measures.hits(.norm, .objects) == [2, 2, 0, 2])
        #expect(measures.hits(.norm, .mainObject) == [2, 1, 0, 1])
        #expect(measures.hits(.signed, .objects) == [1, 1, 1, 2])
        #expect(measures.hits(.signed, .mainObject) == [1, 0, 1, 2])
        // Places without a phrase are no hits.
        #expect(measures.hits(.similarity, .objects) == [0, 0, 1, 1])
    }

    @Test func theControlLooksAtTheSceneHalfWayOn() throws {
        let measures = try measures()
        #expect(measures.hits(.norm, .anotherImage) == [0, 1, 2, 1])
        #expect(measures.hits(.similarity, .anotherImage) == [0, 0, 1, 2])
    }

    @Test func metricsAreSharesOfThePhrasesAskedFor() throws {
        let metrics = try measures().metrics()
        #expect(metrics.value("true-phrases", ["score": "norm", "truth": "objects"]) == 0.75)
        #expect(metrics.value("true-phrases", ["score": "norm", "truth": "main object"]) == 0.5)
        #expect(metrics.value("true-phrases", ["score": "norm", "truth": "another image"]) == 0.5)
        #expect(metrics.value("any-true-phrase", ["score": "similarity", "truth": "objects"]) == 0.5)
        #expect(metrics.value("any-true-phrase", ["score": "norm", "truth": "objects"]) == 0.75)
        // 2, 3, 1 and 4 words for two places each.
        #expect(metrics.value("true-phrases", ["score": "best possible", "truth": "objects"]) == 0.875)
        let active = try #require(metrics.row("active-neurons", [:]))
        #expect(active.value == 2.5 && active.unit == "neurons" && active.n == 4)
        #expect(metrics.allSatisfy { $0.isPartial })
    }

    @Test func everyCellOfTheTableHasItsMetric() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        for row in measures.table.rows {
            #expect(row.cells.count == measures.table.columns.count)
            for (column, cell) in row.cells.enumerated() {
                guard case .metric(let name, let subject, _) = cell else { continue }
                let columns = Dictionary(uniqueKeysWithValues: subject.columns.map { ($0.name, $0.value) })
                // What is best possible has one truth only.
                #expect(
                    (metrics.row(name, columns) != nil) == (row.header != "best possible" || column == 0),
                    "\(row.header) \(column)")
            }
        }
        #expect(measures.table.footnotes.contains { $0.contains("described by 8 phrases") })
    }

    @Test func theListHasEveryImageWithItsPhrases() throws {
        let list = try measures().list(captions: ["c0", "c1", "=c2", "c3"])
        guard case .list(let header, let rows) = list.content else {
            Issue.record("not a list")
            return
        }
        #expect(header == ["image", "caption", "active_neurons", "by_norm", "by_signed", "by_similarity"])
        #expect(rows.count == 4)
        #expect(
            rows[2] == [
                .text("d/val/2"), .text("=c2"), .integer(0), .text("cat; kitty"), .text("sun"), .text("sun; cat"),
            ])
        #expect(rows[1].last == .text(""))
    }

    @Test func layersThatAreNotStudiedCannotSpeak() throws {
        func spec(_ keys: String) throws -> ConceptDiscoverySpec {
            try ConceptDiscoverySpec(
                HandMade.document(
                    "concept-discovery",
                    "images: 4\npools: [{name: words, source: names-and-keywords}]\nsizes: [4]\nsize: 4\n" + keys),
                choices: HandMade.choices)
        }
        #expect(try spec("").neuronLayers == [0, 1] && spec("").phrases == 10)
        #expect(try spec("neuron-layers: [1]").neuronLayers == [1])
        for keys in [
            "layers: [0]\nneuron-layers: [1]", "neuron-layers: [2]", "neuron-layers: []", "neuron-layers: [1, 1]",
            "phrases: 0",
        ] {
            #expect(throws: SpecError.self, "\(keys)") { try spec(keys) }
        }
    }
}
