import Attribution
import DenseMath
import Lens
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// What the steps on texts, concepts and maps store comes back as it was; a part of another shape is
/// an error and no trap.
@Suite struct StoredArtefactTests {
    static func predictions() throws -> ConditionPredictions {
        try HandMade.predictions([1, 2, 3, 4, 5, 6], margins: [0.5, 1, 1.5, 2, 2.5, 3], conditions: 3)
    }

    @Test func conditionPredictions() throws {
        let value = try Self.predictions()
        #expect(value.count == 2 && value.conditions == 3)
        #expect(value.predicted(1) == [2, 5])
        #expect(value.isCorrect(2, [3, 0]) == [true, false])
        var twice = try ConditionPredictions(value.stored())
        try twice.append(value)
        #expect(twice.count == 4 && twice.predicted(0) == [1, 4, 1, 4])
        #expect(twice.margins == value.margins + value.margins)
        let set = value.set(
            1, ["m": "4"], experiment: "e", images: HandMade.images, truth: [0, 1],
            classNames: ["a", "b", "c", "d", "e", "f"])
        #expect(set.predictions.map(\.prediction) == ["c", "f"] && set.predictions.map(\.label) == ["a", "b"])
        #expect(set.predictions.map(\.margin) == [1, 2.5] && set.predictions.map(\.imageID) == ["d/val/0", "d/val/1"])
        try expectRefusal(value, "labels", [6], integers: true)
        try expectRefusal(value, "margins", [2, 2])
        try expectNoPartCanBeMissing(value)
    }

    @Test func fittedSparseTexts() throws {
        let codes = SparseCodes(
            sizes: [1, 2], atoms: [3, 0, 2, -1],
            coefficients: Tensor(shape: [2, 2, 2], elements: [0.5, 0, 0.25, 0, 0.5, -1, 0.25, 0]))
        let value = FittedSparseTexts(layers: [0: codes, 4: codes])
        #expect(try FittedSparseTexts(value.stored()).layers == value.layers)
        #expect(throws: PipelineError.self) { try value.layer(1) }
        try expectRefusal(value, "4.coefficients", [2, 2])
        try expectRefusal(value, "4.coefficients", [1, 2, 2])
        try expectRefusal(value, "4.coefficients", [2, 2, 3])
        try expectRefusal(value, "0.atoms", [2, 1], integers: true)
        try expectNoPartCanBeMissing(value)
    }

    @Test func neuronEffects() throws {
        let value = NeuronEffects(
            layers: [1: .init(effects: Tensor(shape: [2, 3], elements: [1, 2, 3, 4, 5, 6]))],
            representations: Tensor(shape: [2, 2], elements: [7, 8, 9, 10]))
        let back = try NeuronEffects(value.stored())
        #expect(back.layers[1]?.effects == value.layers[1]?.effects && back.representations == value.representations)
        try expectRefusal(value, "1.effects", [6])
        try expectRefusal(value, "representations", [4])
        try expectNoPartCanBeMissing(value)
    }

    @Test func faithfulness() throws {
        let value = Faithfulness(
            images: 50,
            layers: [
                2: .init(
                    own: Tensor(shape: [1, 3], elements: [0.5, 0.25, -1]),
                    shuffled: Tensor(shape: [1, 3], elements: [0, 0.125, 1]),
                    direction: [1, 0.5, 0], directionShuffled: [0, 0.25, 0.5])
            ])
        let back = try Faithfulness(value.stored())
        #expect(back.images == 50 && Array(back.layers.keys) == [2])
        #expect(back.layers[2]?.own == value.layers[2]?.own && back.layers[2]?.shuffled == value.layers[2]?.shuffled)
        #expect(back.layers[2]?.direction == [1, 0.5, 0] && back.layers[2]?.directionShuffled == [0, 0.25, 0.5])
        try expectRefusal(value, "2.own", [3])
        try expectRefusal(value, "2.shuffled", [1, 1, 3])
        try expectRefusal(value, "2.direction", [1, 3])
        try expectNoPartCanBeMissing(value)
    }

    @Test func conceptPhrases() throws {
        var value = ConceptPhrases(kept: 2)
        for scores: [Float] in [[0, 3, 1], [.nan, -1, -.infinity], [2, 2, 2]] { value.append(scores) }
        value.active = [7]
        let back = try ConceptPhrases(value.stored())
        #expect(back.kept == 2 && back.active == [7])
        // Best first, ties in the order of the pool, −1 where no phrase has a score.
        #expect(Array(back.phrases(image: 0, score: .norm)) == [1, 2])
        #expect(Array(back.phrases(image: 0, score: .signed)) == [1, -1])
        #expect(Array(back.phrases(image: 0, score: .similarity)) == [0, 1])
        #expect(back.scores == [3, 1, -1, 0, 2, 2])
        try expectRefusal(value, "phrases", [3, 2], integers: true)
        try expectRefusal(value, "phrases", [1, 2, 3], integers: true)
        try expectRefusal(value, "scores", [1, 3, 1])
        try expectRefusal(value, "active", [2], integers: true)
        try expectNoPartCanBeMissing(value)
    }

    @Test func segmentationScores() throws {
        var value = SegmentationScores(cases: 1, rules: 1)
        for image in 0..<2 {
            value.appendImage(predicted: 5 + image, margin: 0.5, absent: 9)
            try value.append(
                HeatMap(side: 2, values: [0, 1, 0.5, 0.25]), mask: [0, 1, 0, 1], size: 2, rules: [.above(0.5)])
        }
        let back = try SegmentationScores(value.stored())
        #expect(back.images == 2 && back.cases == 1 && back.rules == 1)
        #expect(back.counts == value.counts && back.precisions == value.precisions)
        #expect(back.predicted == [5, 6] && back.margins == [0.5, 0.5] && back.absent == [9, 9])
        try expectRefusal(value, "counts", [2, 1, 6], integers: true)
        try expectRefusal(value, "counts", [2, 1, 1, 5], integers: true)
        try expectRefusal(value, "counts", [3, 1, 1, 6], integers: true)
        try expectRefusal(value, "precisions", [2, 2])
        try expectRefusal(value, "margins", [1])
        try expectRefusal(value, "absent", [3], integers: true)
        try expectNoPartCanBeMissing(value)
    }

    @Test func sampledEffects() throws {
        func summary(_ first: Float) -> EffectSummary {
            .init(
                directions: HandMade.directions(
                    Tensor(shape: [2, 3], elements: [first, 0, 0, 0, 1, 0]), shares: [first, 0.75]),
                sharesOfAll: [0.125, first], holdingHalf: [first, .nan], holdingNineTenths: [0.5, first],
                gaussianHalf: [0.25, first],
                gaussianNineTenths: [first, 1])
        }
        let value = SampledEffects(layers: [
            3: .init(neurons: [2, 5], indirect: summary(0.5), secondOrder: summary(0.625))
        ])
        let back = try #require(try SampledEffects(value.stored()).layers[3])
        #expect(back.neurons == [2, 5] && back.indirect.directions == summary(0.5).directions)
        #expect(
            back.secondOrder.directions == summary(0.625).directions && back.secondOrder.sharesOfAll == [0.125, 0.625])
        #expect(back.indirect.holdingHalf[0] == 0.5 && back.indirect.holdingHalf[1].isNaN)
        #expect(back.secondOrder.holdingNineTenths == [0.5, 0.625] && back.indirect.gaussianHalf == [0.25, 0.5])
        #expect(back.indirect.gaussianNineTenths == [0.5, 1])
        try expectRefusal(value, "3.indirect-directions", [6])
        try expectRefusal(value, "3.second-order-shares", [1, 2])
        try expectRefusal(value, "3.indirect-holding-half", [3])
        try expectNoPartCanBeMissing(value)
    }

    @Test func effectTotals() throws {
        let value = EffectTotals(layers: [1: .init(squares: [2, 0, 8], along: [1, 0, 6])])
        #expect(try EffectTotals(value.stored()).layers == value.layers)
        #expect(value.layers[1]?.shares == [0.5, 0, 0.75])
        let sum = try #require(value.layers[1]) + .init(squares: [2, 1, 0], along: [0, 1, 0])
        #expect(sum.squares == [4, 1, 8] && sum.along == [1, 1, 6])
        try expectNoPartCanBeMissing(value)
        try expectRefusal(value, "1.along", of: StoredTensor([1, 2] as [Double], shape: [2]))
    }

    @Test func phraseSimilarities() throws {
        let value = PhraseSimilarities(
            layers: [2: .init(neurons: [0.5, .nan], randomDirections: [0.25])], randomPhrases: 0.0625)
        let back = try PhraseSimilarities(value.stored())
        #expect(back.randomPhrases == 0.0625 && back.layers[2]?.randomDirections == [0.25])
        #expect(back.layers[2]?.neurons[0] == 0.5 && back.layers[2]?.neurons[1].isNaN == true)
        try expectNoPartCanBeMissing(value)
    }

    @Test func attentionWithinLabels() throws {
        var value = AttentionWithinLabels()
        value.append([[0.5, 0.75, 0.25], [0.25, 0.5, 0.125]], classTokenChange: 0.5)
        value.append([], classTokenChange: 0.25)
        value.append([[1, 0, 0.5]], classTokenChange: 0)
        let back = try AttentionWithinLabels(value.stored())
        #expect(back.pairCounts == [2, 0, 1] && back.classTokenChanges == [0.5, 0.25, 0])
        #expect(
            back.rows(.queryKey) == [[0.75, 2], [0, 0], [1, 1]]
                && back.rows(.valueValue) == [[1.25, 2], [0, 0], [0, 1]])
        #expect(back.rows(.area) == [[0.375, 2], [0, 0], [0.5, 1]])
        var twice = back
        try twice.append(value)
        #expect(twice.rows(.area).count == 6 && twice.rows(.area)[5] == [0.5, 1])
        try expectRefusal(value, "shares", [9])
        try expectRefusal(value, "shares", [2, 3])
        try expectRefusal(value, "pair-counts", [2], integers: true)
        try expectRefusal(value, "class-token-changes", [2])
        try expectNoPartCanBeMissing(value)
    }

    @Test func textSpans() throws {
        func head(_ texts: [TextSpan.Entry], _ first: Float) -> TextSpans.Head {
            .init(
                variance: 1.0 / 3, texts: texts, explainedByRandomTexts: 0.1, explainedByPrincipalDirections: 1.0 / 7,
                directions: Tensor(shape: [3, 2, 2], elements: (0..<12).map { first + Float($0) }))
        }
        let entries = [TextSpan.Entry(text: 7, explainedVariance: 0.25), .init(text: 0, explainedVariance: 0.5)]
        let value = TextSpans(heads: [head(entries, 0), head([entries[0]], 20), head([], 40)])
        let back = try TextSpans(value.stored())
        #expect(back.heads == value.heads && back.count == 2)
        #expect(back.directions.shape == [3, 6, 2] && back.directions.elements[12] == 20)
        try expectRefusal(value, "directions", [3, 6, 2])
        try expectRefusal(value, "directions", [3, 2, 2, 2])
        try expectRefusal(value, "texts", [3, 3], integers: true)
        try expectRefusal(value, "texts", [2, 2], integers: true)
        try expectRefusal(value, "explained", [3, 1])
        try expectRefusal(value, "variances", [9])
        try expectNoPartCanBeMissing(value)
    }

    @Test func headVarianceTerms() throws {
        let value = try HandMade.terms((0..<24).map { Float($0) }, heads: 2, texts: 1)
        #expect(value.images == 3 && value.heads == 2 && value.texts == 1)
        #expect(value.lengths == [[0, 4], [8, 12], [16, 20]])
        #expect(value.rows(ofHead: 1) == [[4, 5, 6, 7], [12, 13, 14, 15], [20, 21, 22, 23]])
        #expect(try HeadVarianceTerms(value.stored()).values == value.values)
        var twice = value
        try twice.append(value)
        #expect(twice.images == 6 && twice.values == value.values + value.values)
        let none = try HeadVarianceTerms(HeadVarianceTerms(heads: 2, texts: 1).stored())
        #expect(none.images == 0 && none.rows(ofHead: 1).isEmpty)
        try expectRefusal(value, "terms", [6, 4])
        try expectRefusal(value, "terms", [3, 2, 3])
        try expectRefusal(value, "terms", [3, 0, 4])
        try expectNoPartCanBeMissing(value)
    }

    @Test func storedTextPool() throws {
        let embeddings = Tensor(shape: [2, 2], elements: [0.6, 0.8, -1, 0])
        let value = StoredTextPool(phrases: ["a, b", "line\nbreak"], embeddings: embeddings)
        #expect(
            try StoredTextPool(value.stored()).pool
                == TextPool(phrases: ["a, b", "line\nbreak"], embeddings: embeddings))
        try expectRefusal(value, "embeddings", [3, 2])
        try expectRefusal(value, "embeddings", [4])
        try expectNoPartCanBeMissing(value)
    }
}
