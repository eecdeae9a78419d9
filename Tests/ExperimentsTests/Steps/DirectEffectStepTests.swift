import DenseMath
import Lens
import TestSupport
import Testing

@testable import Experiments

/// The steps on direct effects, each by itself, against what a literal forward pass writes at the class token.
@Suite struct DirectEffectStepTests {
    static let (L, H) = (4, 2)

    let sample: StepSample
    let images: [LiteralVision]

    init() throws {
        sample = try StepSample()
        images = sample.literal(sample.fitPixels)
    }

    /// What an attention layer adds, its bias included. // [d]
    func attention(_ image: LiteralVision, _ layer: Int) -> [Double] {
        image.directEffect(
            of: image.headOutputs[layer].reduce(sample.vision.blocks[layer].attentionOutput.bias.map(Double.init)) {
                $0.plus($1)
            })
    }

    func mlp(_ image: LiteralVision, _ layer: Int) -> [Double] { image.directEffect(of: image.mlpOutputs[layer]) }

    func mean(_ vectors: [[Double]]) -> [Double] {
        vectors.dropFirst().reduce(vectors[0]) { $0.plus($1) }.map { $0 / Double(vectors.count) }
    }

    @Test func directEffects() throws {
        let found = try DirectEffectsStep(model: sample.model, images: sample.fit).result(of: sample.given)
        #expect(found.sums.images == StepSample.fitCount && found.moments.images == StepSample.fitCount)
        let means = found.sums.means
        for layer in 0..<Self.L {
            #expect(relativeError(means.attention[row: layer], mean(images.map { attention($0, layer) })) < 1e-4)
            #expect(relativeError(means.mlps[row: layer], mean(images.map { mlp($0, layer) })) < 1e-4)
        }
        let paths = try sample.model.paths.value()
        for k in 0..<Self.L * Self.H {
            let effects = images.map { $0.directEffect(of: $0.headOutputs[k / Self.H][k % Self.H]) }
            let centre = mean(effects)
            #expect(relativeError(found.moments.mean(of: k, paths).map { Float($0) }, centre) < 1e-3, "head \(k)")
            let variance = effects.reduce(0) { $0 + ($1 - centre).dot($1 - centre) } / Double(effects.count)
            let covariance = found.moments.covariance(of: k, paths)
            let trace = (0..<sample.width).reduce(0) { $0 + covariance[$1 * sample.width + $1] }
            #expect(abs(trace / variance - 1) < 1e-2, "head \(k)")
        }
    }

    @Test func firstOrderPredictions() throws {
        let effects = try sample.compute(DirectEffectsStep(model: sample.model, images: sample.fit)).0
        let (classifier, weights) = try sample.classifier()
        let found = try FirstOrderPredictionsStep(
            model: sample.model, images: sample.evaluation, classifier: classifier, effects: effects
        ).result(of: sample.given)
        let conditions = FirstOrderConditions(layers: Self.L)
        let means = (0..<Self.L).map { layer in
            (attention: mean(images.map { attention($0, layer) }), mlp: mean(images.map { mlp($0, layer) }))
        }
        #expect(found.predictions.count == 7 && found.predictions.conditions == 1 + 4 * Self.L)
        for (image, oracle) in sample.literal(sample.evaluationPixels).enumerated() {
            let terms = (0..<Self.L).map { (attention: attention(oracle, $0), mlp: mlp(oracle, $0)) }
            func check(_ condition: Int, _ vector: [Double]) {
                let (answer, index) = (sample.answer(vector, weights.weights), image * conditions.count + condition)
                #expect(
                    abs(Double(found.predictions.margins[index]) - answer.margin) < 0.1,
                    "image \(image), condition \(condition)")
                #expect(Int(found.predictions.labels[index]) == answer.label || answer.margin < 0.1)
            }
            check(FirstOrderConditions.baseline, oracle.scaled)
            for ablated in 1...Self.L {
                let (first, last) = (0..<ablated, Self.L - ablated..<Self.L)
                let own: [(FirstOrderCondition, [Double])] = [
                    (
                        .attentionFromFirst,
                        first.reduce(oracle.scaled) { ($0 - terms[$1].attention).plus(means[$1].attention) }
                    ),
                    (
                        .attentionFromLast,
                        last.reduce(oracle.scaled) { ($0 - terms[$1].attention).plus(means[$1].attention) }
                    ),
                    (.mlpsFromFirst, first.reduce(oracle.scaled) { ($0 - terms[$1].mlp).plus(means[$1].mlp) }),
                    (.mlpsFromLast, last.reduce(oracle.scaled) { ($0 - terms[$1].mlp).plus(means[$1].mlp) }),
                ]
                for (condition, vector) in own { check(conditions.index(condition, ablated: ablated), vector) }
            }
            for layer in 0..<Self.L {
                #expect(
                    abs(found.values(\.lengths, .attention, layer: layer)[image] / terms[layer].attention.length - 1)
                        < 1e-3)
                #expect(abs(found.values(\.lengths, .mlp, layer: layer)[image] / terms[layer].mlp.length - 1) < 1e-3)
                let deviation = (terms[layer].mlp - means[layer].mlp).length
                #expect(abs(found.values(\.deviations, .mlp, layer: layer)[image] / deviation - 1) < 1e-2)
            }
        }
    }

    /// Texts of a head span as much of its effects as TextSpan says of the covariance, and image by image they sum up to it.
    @Test func textSpansAndHeadVarianceTerms() throws {
        let (effects, fitted) = try sample.compute(DirectEffectsStep(model: sample.model, images: sample.fit))
        let phrases = (0..<12).map { "w\($0)" }
        let (pool, stored) = try sample.compute(
            TextPoolStep(model: sample.model, name: "words", source: .phrases(phrases), needed: 1))
        let (handle, spans) = try sample.compute(
            TextSpansStep(model: sample.model, effects: effects, pool: pool, count: 3, rank: 5, seed: 2))
        let terms = try HeadVarianceTermsStep(
            model: sample.model, images: sample.fit, effects: effects, spans: handle, count: 3
        ).result(of: sample.given)
        let paths = try sample.model.paths.value()
        #expect(spans.heads.count == Self.L * Self.H && terms.images == StepSample.fitCount)
        for (k, head) in spans.heads.enumerated() {
            let own = try TextSpan(
                covariance: fitted.moments.covariance(of: k, paths), texts: stored.pool.embeddings, count: 3, rank: 5)
            #expect(head.texts == own.entries, "head \(k)")
            let centred = images.map { $0.directEffect(of: $0.headOutputs[k / Self.H][k % Self.H]) }
            let centre = mean(centred)
            for (image, row) in terms.rows(ofHead: k).enumerated() {
                let e = centred[image] - centre
                #expect(
                    abs(row[HeadVarianceTerms.whole] - e.dot(e)) < 1e-3 * e.dot(e) + 1e-4, "head \(k), image \(image)")
                for texts in 1...3 {
                    let along = (0..<texts).reduce(0.0) { sum, text in
                        let start = text * sample.width
                        let direction = head.directions.elements[start..<start + sample.width].map(Double.init)
                        return sum + e.dot(direction) * e.dot(direction)
                    }
                    #expect(
                        abs(row[HeadVarianceTerms.along(texts: texts)] - along) < 1e-3 * e.dot(e) + 1e-4,
                        "head \(k), image \(image)")
                }
            }
        }
    }

    @Test func neuronDirectDirections() throws {
        let found = try NeuronDirectDirectionsStep(model: sample.model, layers: sample.layers).result(of: sample.given)
        for layer in sample.layers {
            let weight = sample.vision.blocks[layer].mlpOutput.weight
            let (D, N) = (weight.shape[0], weight.shape[1])
            for n in 0..<N {
                let w = (0..<D).map { Double(weight.elements[$0 * N + n]) }
                let mean = w.reduce(0, +) / Double(D)
                let effect = images[0].directEffect(of: w.map { $0 - mean })
                let expected = effect.map { $0 / effect.length }
                #expect(relativeError(try found.layer(layer).directions[row: n], expected) < 1e-4)
            }
        }
    }

    @Test func decompositionCheckAndOverlap() throws {
        let check = try DecompositionStep(model: sample.model, layers: sample.layers, images: sample.fit).result(
            of: sample.given)
        #expect(check.images == StepSample.fitCount && check.directTerms < 1e-4)
        #expect(check.neuronSums.keys.sorted() == sample.layers && check.neuronSums.values.allSatisfy { $0 < 1e-4 })
        let none = try OverlapStep(fit: sample.fit.facts, evaluation: sample.evaluation.facts).result(of: sample.given)
        #expect(none.images == [])
        let all = try OverlapStep(fit: sample.fit.facts, evaluation: sample.fit.facts).result(of: sample.given)
        #expect(all.images == Array(0..<StepSample.fitCount))
    }
}
