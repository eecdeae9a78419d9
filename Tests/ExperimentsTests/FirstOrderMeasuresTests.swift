import DenseMath
import Foundation
import Lens
import Pipeline
import Safetensors
import Testing

@testable import Experiments

/// Numbers of the first-order experiment from predictions and heads made by hand.
@Suite struct FirstOrderMeasuresTests {
    static let count = 400
    static let classes = 20
    static let layers = 2

    static let specText = """
        experiment: first-order
        world: emoji
        model: m
        fit: {dataset: d, split: fit}
        evaluation: {dataset: d, split: val}
        pools:
          - {name: words, source: names-and-keywords}
        texts-a-head: 2
        heads-in-table: 3
        controls: {accuracy-floor: 0.6}
        """

    static func spec(_ text: String = specText) throws -> FirstOrderSpec {
        try FirstOrderSpec(
            SpecDocument(text: text, path: "spec.yaml"), choices: HandMade.choices(layers: 0..<1, neurons: 6))
    }

    /// How many images are right under a condition: a different number for each.
    static func right(_ condition: Int) -> Int { 300 - 10 * condition }

    static func predictions(baseline: Int = 300) throws -> FirstOrderPredictions {
        let conditions = FirstOrderConditions(layers: layers).count
        var labels: [Int32] = []
        for image in 0..<count {
            for condition in 0..<conditions {
                let isRight = image < (condition == 0 ? baseline : right(condition))
                labels.append(Int32((image + (isRight ? 0 : 1)) % classes))
            }
        }
        var predictions = FirstOrderPredictions(layers: layers)
        predictions.predictions = try HandMade.predictions(labels, margins: [1], conditions: conditions)
        // [images, kinds, layers]: 1, 2 for attention and 3, 4 for MLPs; a tenth of it from the mean.
        predictions.lengths = (0..<count * 4).map { Float($0 % 4 + 1) }
        predictions.deviations = predictions.lengths.map { $0 / 10 }
        return predictions
    }

    static func head(_ variance: Double, texts: [Int32] = [1, 0]) -> TextSpans.Head {
        .init(
            variance: variance,
            texts: texts.enumerated().map { .init(text: $1, explainedVariance: Float($0 + 1) / 4) },
            explainedByRandomTexts: 0.125, explainedByPrincipalDirections: 0.75, directions: Tensor(zeros: [3, 2, 1]))
    }

    /// Of images that are all alike, except that of head 1 they are so to one part in four.
    static func terms(images: Int = 100) throws -> HeadVarianceTerms {
        let rows: [[Float]] = [
            [1, 0.25, 0.5, 0.125, 0.75], [4, 1, 2, 0.5, 3], [2, 0.5, 1, 0.25, 1.5], [1, 0.25, 0.25, 0.125, 0.75],
        ]
        let values = (0..<images).flatMap { image in
            rows.enumerated().flatMap { head, row in head == 1 ? row.map { $0 * (image % 2 == 0 ? 0.75 : 1.25) } : row }
        }
        return try HandMade.terms(values, heads: 4, texts: 2)
    }

    func measures(
        baseline: Int = 300, identity: Double = 1e-6, overlap: [Int] = [],
        heads: [TextSpans.Head] = [head(1), head(4), head(2), head(1, texts: [2])]
    ) throws -> FirstOrderMeasures {
        let spec = try Self.spec()
        return FirstOrderMeasures(
            spec: spec, heads: 2, classNames: (0..<Self.classes).map { "class \($0)" }, isPartial: false, fitCount: 100,
            labels: (0..<Self.count).map { Int32($0 % Self.classes) },
            predictions: try Self.predictions(baseline: baseline),
            phrases: ["red", "green", "blue"], spans: TextSpans(heads: heads),
            intervals: HeadVarianceIntervals(try Self.terms(), bootstrap: Bootstrap(seed: 0)),
            trust: TrustFindings(
                fit: HandMade.fit, evaluation: HandMade.images,
                decomposition: StoredDecomposition(images: 16, directTerms: identity, neuronSums: [0: 1e-7]),
                overlap: StoredOverlap(images: overlap)))
    }

    func metric(_ metrics: [Metric], _ name: String, _ columns: [String: String]) throws -> Metric {
        try #require(
            metrics.first { row in
                row.name == name && columns.allSatisfy { row.subject[$0.key] == $0.value }
                    && row.subject.columns.count == columns.count
            })
    }

    @Test func everyConditionHasTheAccuracyOfItsImages() throws {
        let metrics = try measures().metrics()
        #expect(try metric(metrics, "accuracy", ["condition": "baseline"]).value == 0.75)
        // The conditions in their order, one layer and then two.
        let names = ["attention-from-first", "attention-from-last", "mlps-from-first", "mlps-from-last"]
        for (position, name) in names.enumerated() {
            for ablated in 1...2 {
                let row = try metric(metrics, "accuracy", ["condition": name, "layers-ablated": "\(ablated)"])
                let right = Double(Self.right(2 * position + ablated))
                #expect(row.value == right / 400 && row.n == 400)
                #expect(row.interval != nil && row.paper == nil)
            }
        }
    }

    @Test func layersGoFromEitherEnd() {
        let conditions = FirstOrderConditions(layers: 6)
        #expect(conditions.count == 25)
        #expect((1...6).map { conditions.lastAblated(.attentionFromFirst, ablated: $0) } == [0, 1, 2, 3, 4, 5])
        #expect((1...6).map { conditions.lastAblated(.mlpsFromLast, ablated: $0) } == [5, 4, 3, 2, 1, 0])
        let all = FirstOrderCondition.allCases.flatMap { condition in
            (1...6).map { conditions.index(condition, ablated: $0) }
        }
        #expect(all.sorted() == Array(1..<25))
    }

    @Test func lengthsAreThoseOfTheirLayer() throws {
        let metrics = try measures().metrics()
        for (kind, layer, length) in [("attention", 0, 1.0), ("attention", 1, 2), ("mlp", 0, 3), ("mlp", 1, 4)] {
            let columns = ["layer": "\(layer)", "kind": kind]
            #expect(try metric(metrics, "direct-effect-norm", columns).value == length)
        }
        let deviation = try metric(metrics, "direct-effect-deviation", ["layer": "1", "kind": "mlp"])
        #expect(abs((deviation.value ?? 0) - 0.4) < 1e-6)
    }

    @Test func predictionsLeadFromEveryAccuracyToItsImages() throws {
        let measures = try measures()
        let (metrics, sets) = (measures.metrics(), measures.predictionSets())
        #expect(sets.count == 9)
        for set in sets {
            let share = Double(set.predictions.count { $0.label == $0.prediction }) / Double(set.predictions.count)
            let columns = Dictionary(uniqueKeysWithValues: set.condition.columns.map { ($0.name, $0.value) })
            #expect(try metric(metrics, "accuracy", columns).value == share)
            #expect(set.predictions[3].imageID == "d/val/3")
        }
    }

    @Test func headsAreShownByTheirVariance() throws {
        let measures = try measures()
        let metrics = measures.metrics()
        let shares = try (0..<4).map {
            try metric(metrics, "head-variance-share", ["layer": "\($0 / 2)", "head": "\($0 % 2)"]).value
        }
        #expect(shares == [0.125, 0.5, 0.25, 0.125])
        let columns = ["layer": "1", "head": "0"]
        let first = try metric(metrics, "textspan-explained-variance", columns.merging(["texts": "1"]) { $1 })
        #expect(first.value == 0.25 && first.note == "green" && first.n == 100)
        let both = columns.merging(["texts": "2"]) { $1 }
        #expect(try metric(metrics, "textspan-explained-variance", both).value == 0.5)
        #expect(try metric(metrics, "textspan-explained-variance-random", both).value == 0.125)
        #expect(try metric(metrics, "principal-directions-explained-variance", both).value == 0.75)

        // Of what varies with nothing the interval is a point.
        for (name, value) in [("textspan-explained-variance", 0.5), ("textspan-explained-variance-random", 0.125)] {
            let interval = try #require(try metric(metrics, name, both).interval)
            #expect(abs(interval.lower - value) < 1e-12 && abs(interval.upper - value) < 1e-12)
        }
        #expect(first.interval?.lower == 0.25 && first.interval?.upper == 0.25)
        #expect(try metric(metrics, "principal-directions-explained-variance", both).interval?.replicates == 1000)
        let share = try #require(try metric(metrics, "head-variance-share", ["layer": "0", "head": "1"]).interval)
        #expect(share.lower < 0.5 && share.upper > 0.5 && share.upper - share.lower < 0.05)

        let table = HeadTexts(measures).table
        #expect(table.rows.map(\.header) == ["0.1", "1.0", "0.0"])
        #expect(table.rows[0].cells.last == .text("green, red"))
        // Every cell but the words names a row.
        for row in table.rows + FirstOrderTables(measures).layouts.flatMap(\.rows) {
            for case .metric(let name, let subject, _) in row.cells {
                #expect(
                    metrics.contains { $0.name == name && Set($0.subject.columns) == Set(subject.columns) },
                    "\(name) \(subject)")
            }
        }
        guard case .list(let header, let rows) = HeadTexts(measures).list.content else {
            Issue.record("no list")
            return
        }
        #expect(rows.count == 7 && rows.allSatisfy { $0.count == header.count })
        let place = try #require(header.firstIndex(of: "text"))
        #expect(rows[0].prefix(3) == [.integer(0), .integer(1), .number(4)] && rows[0][place] == .text("green"))
        #expect(rows[0].suffix(3) == [.number(0.25), .number(0.25), .number(0.25)])
        #expect(header.suffix(3) == ["explained_variance", "explained_variance_lower", "explained_variance_upper"])
        #expect(rows[0][header.firstIndex(of: "variance_share_lower") ?? 0] == .number(share.lower))
        #expect(rows[6][place] == .text("blue"))
    }

    @Test func eachControlFailsForItsReason() throws {
        #expect(try measures().failedControls() == [])
        #expect(try measures(baseline: 200).failedControls() == [.accuracyBelowFloor(accuracy: 0.5, floor: 0.6)])
        #expect(
            try measures(identity: 0.01).failedControls()
                == [.identityViolated(error: 0.01, tolerance: TrustFindings.identityTolerance(.fp32))])
        #expect(try measures(overlap: [5, 9]).failedControls() == [.imagesInBothSets(count: 2, first: "d/val/5")])
    }

    @Test(arguments: [
        ("texts-a-head: 2", "texts-a-head: 0"), ("texts-a-head: 2", "rank: 0"),
        ("heads-in-table: 3", "heads-in-table: none"),
        ("controls: {accuracy-floor: 0.6}", ""), ("  - {name: words, source: names-and-keywords}", "  []"),
        ("source: names-and-keywords}", "source: captions}\n  - {name: b, source: captions}"),
    ])
    func specsAreRefused(old: String, new: String) {
        #expect(Self.specText.contains(old))
        #expect(throws: SpecError.self) { try Self.spec(Self.specText.replacingOccurrences(of: old, with: new)) }
    }
}

/// What the steps of the first-order experiment make and store.
@Suite struct FirstOrderStepTests {
    @Test func textsAreMeasuredAgainstChanceAndTheBestDirections() throws {
        // Variances 4, 2, 1 along the axes; texts along the axes and one between two of them.
        let covariance: [Double] = [4, 0, 0, 0, 2, 0, 0, 0, 1]
        let half = Float(0.5).squareRoot()
        let texts = Tensor(shape: [4, 3], elements: [0, 0, 1, 0, 1, 0, 1, 0, 0, 0, half, half])
        let head = try TextSpans.Head(covariance: covariance, texts: texts, random: [0, 3], count: 2, rank: 80)
        #expect(head.variance == 7)
        #expect(head.texts.map(\.text) == [2, 1])
        #expect(abs((head.texts.last?.explainedVariance ?? 0) - 6.0 / 7) < 1e-6)
        #expect(abs(head.explainedByPrincipalDirections - 6.0 / 7) < 1e-12)
        // The third axis and what the last text adds to it, the second: 3 of 7.
        #expect(abs(head.explainedByRandomTexts - 3.0 / 7) < 1e-6)
    }

    @Test func aHeadThatWritesNothingHasNoTexts() throws {
        let texts = Tensor(shape: [2, 2], elements: [1, 0, 0, 1])
        let head = try TextSpans.Head(covariance: [0, 0, 0, 0], texts: texts, random: [0], count: 1, rank: 2)
        #expect(head.variance == 0 && head.texts.isEmpty)
        #expect(head.explainedByRandomTexts == 0 && head.explainedByPrincipalDirections == 0)
    }

    @Test func sumsComeBackInDoublePrecision() throws {
        var effects = FittedDirectEffects(layers: 2, heads: 1, headWidth: 2, embeddingWidth: 3)
        effects.sums = DirectEffectSums(
            images: 5, shape: [2, 3], attention: [1, 2, 3, 4, 5, 1.0 / 3], mlps: [6, 5, 4, 3, 2, 1])
        effects.moments = HeadMoments(
            images: 5, headCount: 2, headWidth: 2, sums: [1, 2, 3, 1.0 / 7], products: [1, 2, 3, 4, 5, 6, 7, 8])
        let back = try FittedDirectEffects(effects.stored())
        #expect(back.sums == effects.sums && back.moments == effects.moments)
        #expect(back.sums.means.attention.elements[1] == 0.4)
    }

    @Test(arguments: ["mlps", "head-products"])
    func sumsOfAnotherShapeAreRefused(part: String) throws {
        let effects = FittedDirectEffects(layers: 2, heads: 1, headWidth: 2, embeddingWidth: 3)
        let tensors = try storedTensors(of: effects).tensors
        #expect(throws: PipelineError.self) { try FittedDirectEffects(.tensors(tensors, metadata: [:])) }
        try expectRefusal(effects, part, of: StoredTensor([1, 2, 3] as [Double], shape: [3, 1]))
    }

    @Test func predictionsComeBackWithTheirLengths() throws {
        let predictions = try FirstOrderMeasuresTests.predictions()
        let back = try FirstOrderPredictions(predictions.stored())
        #expect(back.layers == 2 && back.lengths == predictions.lengths && back.deviations == predictions.deviations)
        #expect(back.predictions.predicted(3) == predictions.predictions.predicted(3))
        try expectRefusal(predictions, "lengths", [400, 2, 3])
    }
}
