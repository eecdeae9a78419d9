import CLIPModel
import DenseMath
import Foundations
import TestSupport
import Testing

@testable import Lens

/// The indirect effect of single neurons, against literal runs of the network in which one column of a
/// layer's activations was replaced.
@Suite struct IndirectOracleTests {
    static let neurons = [0, 7, 23]
    static let imageCount = 14
    static let d = 10
    /// Bytes of an image.
    static let size = 8 * 8 * 3

    let vision = RandomVision.make(seed: 5)
    let images = RandomVision.images(imageCount, seed: 31)

    /// Stand-ins that are not the means of these images: whatever is given has to be taken. // [T, N]
    func givenMeans() -> Tensor {
        var random = SplitMix64(seed: 32)
        let (T, N) = (vision.tokens, vision.configuration.mlpWidth)
        return Tensor(shape: [T, N], elements: (0..<T * N).map { _ in Float(random.uniform(-0.5...1)) })
    }

    /// c·r − c'·r' of every image, by two literal runs. // [images][d]
    func literalEffects(layer: Int, neuron: Int, means: Tensor) -> [[Double]] {
        (0..<Self.imageCount).map { index in
            let image = images[index * Self.size..<(index + 1) * Self.size]
            let intact = LiteralVision(vision, image: image)
            var activations = intact.activations[layer]
            for token in activations.indices {
                activations[token][neuron] = Double(means.elements[token * means.shape[1] + neuron])
            }
            let replaced = LiteralVision(vision, image: image, replacing: [layer: activations])
            return zip(intact.representation, replaced.representation).map { $0 * intact.scale - $1 * replaced.scale }
        }
    }

    /// The first right singular vector of the `count` largest rows, centred by the mean of all rows, signed
    /// so that most of them project positively, the share of the squares along it, and whether rounding
    /// decides the sign.
    func literalDirection(_ effects: [[Double]], keeping count: Int) -> (
        direction: [Double], share: Double, hasNoSign: Bool
    ) {
        let mean = (0..<Self.d).map { j in effects.reduce(0) { $0 + $1[j] } / Double(effects.count) }
        let centred = effects.map { zip($0, mean).map { $0 - $1 } }
        let squares = { (row: [Double]) in row.reduce(0) { $0 + $1 * $1 } }
        let rows = centred.sorted { squares($0) > squares($1) }.prefix(count)
        var direction = [Double](repeating: 1, count: Self.d)
        for _ in 0..<5000 {
            var next = [Double](repeating: 0, count: Self.d)
            for row in rows {
                let projection = zip(row, direction).reduce(0) { $0 + $1.0 * $1.1 }
                for j in 0..<Self.d { next[j] += projection * row[j] }
            }
            let length = squares(next).squareRoot()
            direction = next.map { $0 / length }
        }
        let projections = rows.map { zip($0, direction).reduce(0) { $0 + $1.0 * $1.1 } }
        let positive = projections.count { $0 > 0 }
        let turns = 2 * positive == rows.count ? projections.reduce(0, +) < 0 : 2 * positive < rows.count
        // Float and double round a projection differently: one near zero may count as positive here and not there.
        let rounding = 1e-4 * squares(projections).squareRoot()
        let hasNoSign =
            projections.contains { abs($0) < rounding }
            || 2 * positive == rows.count && abs(projections.reduce(0, +)) < rounding
        return (
            direction.map { turns ? -$0 : $0 }, squares(projections) / rows.reduce(0) { $0 + squares($1) }, hasNoSign
        )
    }

    /// Adds all images in batches.
    func indirect(layer: Int, means: Tensor, capacity: Int) -> IndirectNeuronEffects {
        let workspace = EffectWorkspace(vision, layers: [layer], capacity: capacity, capturing: [.mlpInput])
        let effects = IndirectNeuronEffects(
            vision, layer: layer, neurons: Self.neurons, meanActivations: means, capacity: capacity)
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: 0, to: Self.imageCount, by: capacity) {
                effects.add(workspace.run(base + start * Self.size, batch: min(capacity, Self.imageCount - start)))
            }
        }
        return effects
    }

    @Test(arguments: [0, 1, 2]) func effectsMatchLiteralRuns(layer: Int) {
        let means = givenMeans()
        let found = indirect(layer: layer, means: means, capacity: 5)
        #expect(found.effects.count == Self.neurons.count)
        for (effects, neuron) in zip(found.effects, Self.neurons) {
            #expect(effects.count == Self.imageCount * Self.d)
            for (image, expected) in literalEffects(layer: layer, neuron: neuron, means: means).enumerated() {
                #expect(relativeError(effects[image * Self.d..<(image + 1) * Self.d], expected) < 1e-4)
            }
        }
    }

    /// Of every neuron, kept images of the largest effects.
    func directions(_ effects: IndirectNeuronEffects, keeping count: Int) throws -> [PrincipalDirection] {
        try effects.tables.map { try $0.principalDirection(keeping: count) }
    }

    @Test(arguments: [0, 1, 2]) func directionsMatchLiteralRuns(layer: Int) throws {
        let means = givenMeans()
        let literal = Self.neurons.map { literalEffects(layer: layer, neuron: $0, means: means) }
        // 5 does not divide the number of images: the last batch is smaller.
        let found = indirect(layer: layer, means: means, capacity: 5)
        // Few rows, some and all: which rows are kept matters, and so does what centres them.
        for count in [2, 5, Self.imageCount] {
            let principal = try directions(found, keeping: count)
            #expect(principal.count == Self.neurons.count)
            for (direction, effects) in zip(principal, literal) {
                let expected = literalDirection(effects, keeping: count)
                var found = direction.vector
                if expected.hasNoSign, zip(found, expected.direction).reduce(0, { $0 + Double($1.0) * $1.1 }) < 0 {
                    found = found.map(-)
                }
                #expect(relativeError(found, expected.direction) < 1e-4, "keeping \(count)")
                #expect(abs(Double(direction.share) - expected.share) < 1e-4, "keeping \(count)")
            }
        }
    }

    @Test func batchesDoNotMatter() throws {
        let means = givenMeans()
        let whole = try directions(indirect(layer: 1, means: means, capacity: Self.imageCount), keeping: 5)
        for capacity in [1, 4] {
            for (found, whole) in zip(
                try directions(indirect(layer: 1, means: means, capacity: capacity), keeping: 5), whole)
            {
                #expect(largestError(found.vector, whole.vector) < 1e-4)
                #expect(abs(found.share - whole.share) < 1e-4 && abs(found.ratio - whole.ratio) < 1e-4)
            }
        }
    }

    @Test func effectsThatAreNotFiniteAreRefused() {
        var means = givenMeans()
        means.elements[Self.neurons[1]] = .nan
        let found = indirect(layer: 1, means: means, capacity: 5)
        #expect(throws: FactorisationError.notFinite) { try found.tables[1].principalDirection(keeping: 5) }
    }

    /// φ_n of single neurons, written out, against the term-by-term evaluation of the equations.
    @Test(arguments: [0, 1, 2]) func secondOrderEffectsMatchTheLiteralFormula(layer: Int) throws {
        let lens = try SecondOrderLens(layer: layer, paths: ValueOutputPaths(vision), vision: vision)
        let effects = SecondOrderNeuronEffects(lens, neurons: Self.neurons, capacity: 5)
        let workspace = EffectWorkspace(vision, layers: [layer], capacity: 5)
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: 0, to: Self.imageCount, by: 5) {
                effects.add(workspace.run(base + start * Self.size, batch: min(5, Self.imageCount - start)))
            }
        }
        for image in 0..<Self.imageCount {
            let literal = LiteralVision(vision, image: images[image * Self.size..<(image + 1) * Self.size])
            for (found, neuron) in zip(effects.effects, Self.neurons) {
                #expect(
                    relativeError(
                        found[image * Self.d..<(image + 1) * Self.d],
                        literal.secondOrderEffect(layer: layer, neuron: neuron)) < 1e-4)
            }
        }
    }
}
