import DenseMath
import Foundations
import Lens
import TestSupport
import Testing

@testable import Experiments

/// The steps on second-order and indirect effects, each by itself, against the formulas term by term.
@Suite struct SecondOrderStepTests {
    @Test func effectSumsAndMeans() throws {
        let sample = try StepSample()
        let images = sample.literal(sample.fitPixels)
        let first = try FirstEffectSumsStep(
            model: sample.model, layers: sample.layers, images: sample.fit, count: StepSample.perShard
        ).result(of: sample.given)
        let handle = try sample.given.add(first)
        let fitted = try EffectMeansStep(
            model: sample.model, layers: sample.layers, images: sample.fit, first: handle,
            firstCount: StepSample.perShard,
            count: StepSample.kept
        ).result(of: sample.given)
        #expect(fitted.layers.keys.sorted() == sample.layers)
        for layer in sample.layers {
            func mean(_ images: [LiteralVision]) -> (total: [Double], activations: [Double]) {
                let share = 1 / Double(images.count)
                let total = images.reduce([Double](repeating: 0, count: sample.width)) { sum, image in
                    (0..<sample.neurons).reduce(sum) { $0.plus(image.secondOrderEffect(layer: layer, neuron: $1)) }
                }
                let activations = images.reduce([Double](repeating: 0, count: 5 * sample.neurons)) {
                    $0.plus($1.activations[layer].flatMap { $0 })
                }
                return (total.map { $0 * share }, activations.map { $0 * share })
            }
            let sums = try first.layer(layer).sums
            let few = mean(Array(images.prefix(StepSample.perShard)))
            #expect(relativeError(sums.total, few.total.map { $0 * Double(StepSample.perShard) }) < 1e-4)
            #expect(
                relativeError(sums.activations.elements, few.activations.map { $0 * Double(StepSample.perShard) })
                    < 1e-4)
            let (all, means) = (mean(images), try fitted.layer(layer).means)
            #expect(relativeError(means.total, all.total) < 1e-4)
            #expect(relativeError(means.activations.elements, all.activations) < 1e-4)
            #expect(means.coordinates.shape == [sample.neurons, (3 - layer) * 2])
            // Floors stay below the thresholds, and some are of use.
            let (floors, thresholds) = (try fitted.layer(layer).floors, sample.dense(layer: layer, images).thresholds)
            #expect(zip(floors, thresholds).allSatisfy { Double($0) <= $1 * (1 + 1e-4) })
            #expect(floors.contains { $0 > 0 })
        }
    }

    @Test func largestEffectsAndPrincipalDirections() throws {
        let sample = try StepSample()
        let fitted = try sample.fitted()
        let images = sample.literal(sample.fitPixels)
        let largest = try LargestEffectsStep(
            model: sample.model, layers: sample.layers, images: sample.fit, means: fitted.means, count: StepSample.kept
        ).result(of: sample.given)
        let directions = try PrincipalDirectionsStep(
            model: sample.model, layers: sample.layers, largest: fitted.largest, count: StepSample.kept
        ).result(of: sample.given)
        #expect(largest.count == 3)
        let parts = try (0..<largest.count).map { try largest[$0] }
        for layer in sample.layers {
            let dense = sample.dense(layer: layer, images)
            let kept = try LargestLayers(parts, layer: layer, count: StepSample.kept)
            let found = try directions.layer(layer)
            #expect(kept.biasShares.shape == [StepSample.fitCount, sample.width])
            for n in 0..<sample.neurons {
                let row = kept.effects.images[n * StepSample.kept..<(n + 1) * StepSample.kept].map(Int.init)
                #expect(row == dense.chosen[n], "layer \(layer), neuron \(n)")
                #expect(relativeError(kept.effects.norms[row: n], row.map { dense.norms[n][$0] }) < 1e-4)
                #expect(relativeError(found.directions.directions[row: n], dense.directions[n].vector) < 2e-3)
                #expect(abs(Double(found.directions.shares[n]) - dense.directions[n].share) < 1e-4)
            }
            #expect(relativeError(found.thresholds, dense.thresholds) < 1e-4)
        }
    }

    @Test func effectTotalsAndNeuronEffects() throws {
        let sample = try StepSample()
        let fitted = try sample.fitted()
        let directions = try sample.directions(fitted)
        let images = sample.literal(sample.fitPixels)
        let totals = try EffectTotalsStep(
            sample.model, layers: sample.layers, images: sample.fit, fitted: fitted
        ).result(of: sample.given)
        let evaluated = sample.literal(sample.evaluationPixels)
        let effects = try NeuronEffectsStep(
            sample.model, layers: sample.layers, images: sample.evaluation, fitted: fitted
        ).result(of: sample.given)
        #expect(relativeError(effects.representations.elements, evaluated.flatMap(\.scaled)) < 1e-4)
        for layer in sample.layers {
            let dense = sample.dense(layer: layer, images)
            let r = try directions.layer(layer).directions.directions
            func along(_ centred: [[Double]]) -> [Double] {
                centred.indices.map { centred[$0].dot(r[row: $0].map(Double.init)) }
            }
            let squares = (0..<sample.neurons).map { dense.norms[$0].dot(dense.norms[$0]) }
            let projections = dense.centred.map(along)
            let moments = (0..<sample.neurons).map { n in projections.reduce(0) { $0 + $1[n] * $1[n] } }
            #expect(relativeError(try #require(totals.layers[layer]).squares.map { Float($0) }, squares) < 1e-4)
            #expect(relativeError(try #require(totals.layers[layer]).along.map { Float($0) }, moments) < 1e-4)
            let table = try #require(effects.layers[layer]).effects
            #expect(table.shape == [7, sample.neurons])
            #expect(relativeError(table.elements, evaluated.flatMap { along(dense.centred($0, layer: layer)) }) < 1e-3)
        }
    }

    /// Every condition of every layer: which class it gives, and by how much.
    @Test func ablationPredictions() throws {
        let sample = try StepSample()
        let fitted = try sample.fitted()
        let (classifier, weights) = try sample.classifier()
        let found = try AblationStep(
            sample.model, layers: sample.layers, images: sample.evaluation, classifier: classifier, fitted: fitted,
            indirectLayers: [1], seed: 7
        ).result(of: sample.given)
        let directions = try sample.directions(fitted)
        let (images, evaluated) = (sample.literal(sample.fitPixels), sample.literal(sample.evaluationPixels))
        #expect(found.count == 7 && found.layers == sample.layers)
        let bytes = 3 * StepSample.size * StepSample.size
        var sawLarge = 0
        for (position, layer) in sample.layers.enumerated() {
            let dense = sample.dense(layer: layer, images)
            let r = try directions.layer(layer).directions.directions
            let means = (0..<5).map { token in
                (0..<sample.neurons).map { n in
                    images.reduce(0) { $0 + $1.activations[layer][token][n] } / Double(images.count)
                }
            }
            for (image, oracle) in evaluated.enumerated() {
                let centred = dense.centred(oracle, layer: layer)
                let large = centred.indices.filter { centred[$0].length > dense.thresholds[$0] }
                sawLarge += large.count
                func minus(_ neurons: some Sequence<Int>) -> [Double] {
                    neurons.reduce(oracle.scaled) { $0 - centred[$1] }
                }
                let all = minus(centred.indices)
                let reconstruction = centred.indices.reduce(all) { sum, n in
                    let direction = r[row: n].map(Double.init)
                    let along = centred[n].dot(direction)
                    return sum.plus(direction.map { $0 * along })
                }
                var random = SplitMix64(seed: 7, label: "random neurons of layer \(layer)", index: UInt64(image))
                let replaced = LiteralVision(
                    sample.vision, image: sample.evaluationPixels[image * bytes..<(image + 1) * bytes],
                    replacing: [layer: means])
                let expected: [String: [Double]] = [
                    "baseline": oracle.scaled, "without-all-neurons": all, "without-large-norms": minus(large),
                    "without-small-norms": minus(centred.indices.filter { !large.contains($0) }),
                    "reconstruction-from-pc1": reconstruction,
                    "without-random-neurons": minus(random.sample(large.count, of: sample.neurons)),
                    "indirect": replaced.scaled,
                ]
                for (condition, name) in AblationPredictions.conditions.enumerated() {
                    let index = found.index(image: image, layer: position, condition: condition)
                    guard name != "indirect" || layer == 1 else {
                        #expect(found.labels[index] == AblationPredictions.notRun)
                        continue
                    }
                    let answer = sample.answer(try #require(expected[name]), weights.weights)
                    #expect(
                        abs(Double(found.margins[index]) - answer.margin) < 2e-3 * 100,
                        "\(name) of layer \(layer), image \(image)")
                    // Which of two classes at a tie is first hangs on rounding.
                    #expect(
                        Int(found.labels[index]) == answer.label || answer.margin < 0.01,
                        "\(name) of layer \(layer), image \(image)")
                }
            }
        }
        #expect(sawLarge > 0, "no neuron was above its threshold, so that two conditions were not tested")
    }

    @Test func sampledEffects() throws {
        let sample = try StepSample()
        let fitted = try sample.fitted()
        let found = try SampledEffectsStep(
            model: sample.model, layers: [0, 2], neurons: 9, images: sample.fit, imageCount: 12, means: fitted.means,
            keeping: StepSample.kept, seed: 3
        ).result(of: sample.given)
        let images = sample.literal(sample.fitPixels)
        let bytes = 3 * StepSample.size * StepSample.size
        #expect(found.layers.keys.sorted() == [0, 2])
        for layer in [0, 2] {
            let table = try found.layer(layer)
            var random = SplitMix64(seed: 3, label: "indirect sample", index: UInt64(layer))
            let neurons = random.sample(9, of: sample.neurons).sorted()
            #expect(table.neurons.map(Int.init) == neurons)
            let means = (0..<5).map { token in
                (0..<sample.neurons).map { n in
                    images.reduce(0) { $0 + $1.activations[layer][token][n] } / Double(images.count)
                }
            }
            for (row, n) in neurons.enumerated() {
                // Both kinds of effects are centred by their means over the images of the sample.
                let secondOrder = images.prefix(12).map { $0.secondOrderEffect(layer: layer, neuron: n) }
                let indirect = images.prefix(12).enumerated().map { image, oracle in
                    var activations = oracle.activations[layer]
                    for token in 0..<5 { activations[token][n] = means[token][n] }
                    let replaced = LiteralVision(
                        sample.vision, image: sample.fitPixels[image * bytes..<(image + 1) * bytes],
                        replacing: [layer: activations])
                    return oracle.scaled - replaced.scaled
                }
                for (effects, summary) in [(secondOrder, table.secondOrder), (indirect, table.indirect)] {
                    let mean = effects.reduce([Double](repeating: 0, count: sample.width)) { $0.plus($1) }.map {
                        $0 / 12
                    }
                    let centred = effects.map { $0 - mean }
                    let largest = centred.sorted { $0.length > $1.length }.prefix(StepSample.kept)
                    let (vector, share) = StepSample.firstSingularVector(Array(largest))
                    let total = centred.reduce(0) { $0 + $1.dot($1) }
                    let along = centred.reduce(0) { $0 + $1.dot(vector) * $1.dot(vector) } / total
                    #expect(abs(Double(summary.directions.shares[row]) - share) < 2e-3, "layer \(layer), neuron \(n)")
                    #expect(
                        relativeError(summary.directions.directions[row: row], vector) < 2e-2,
                        "layer \(layer), neuron \(n)")
                    #expect(abs(Double(summary.sharesOfAll[row]) - along) < 2e-3)
                    // The smallest share of the images that holds half.
                    let squares = centred.map { $0.dot($0) }.sorted(by: >)
                    var (sum, count) = (0.0, 0)
                    while sum < total / 2 { (sum, count) = (sum + squares[count], count + 1) }
                    #expect(abs(Double(summary.holdingHalf[row]) - Double(count) / 12) < 1e-6)
                }
            }
        }
    }
}

extension StepSample {
    func directions(_ fitted: Study.Fitted) throws -> FittedDirections {
        try PrincipalDirectionsStep(model: model, layers: layers, largest: fitted.largest, count: Self.kept).result(
            of: given)
    }
}
