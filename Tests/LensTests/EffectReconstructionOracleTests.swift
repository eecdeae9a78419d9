import CLIPModel
import DenseMath
import Foundations
import Lens
import TestSupport
import Testing

/// Effects replaced by their projections onto given vectors, against effects evaluated term by term.
@Suite struct EffectReconstructionOracleTests {
    static let d = 10
    /// Bytes of an image.
    static let size = 8 * 8 * 3
    static let capacity = 3  // divides neither number of images

    let vision = RandomVision.make(seed: 13)
    let fit = RandomVision.images(8, seed: 51)
    let evaluation = RandomVision.images(7, seed: 52)

    func run(_ workspace: EffectWorkspace, _ images: [UInt8], _ body: (EffectPass, Int) -> Void) {
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            let count = images.count / Self.size
            for start in stride(from: 0, to: count, by: workspace.capacity) {
                let batch = min(workspace.capacity, count - start)
                body(workspace.run(base + start * Self.size, batch: batch), start)
            }
        }
    }

    func means(_ lens: SecondOrderLens, _ workspace: EffectWorkspace) -> EffectMeans {
        let sums = EffectSums(lens, tokens: vision.tokens, capacity: Self.capacity)
        run(workspace, fit) { pass, _ in sums.add(pass) }
        let n = Float(sums.images)
        return EffectMeans(
            coordinates: Tensor(
                shape: [lens.neurons, lens.headCount], elements: sums.coordinates.elements.map { $0 / n }),
            biasShare: sums.biasShare.elements.map { $0 / n }, total: sums.total.elements.map { $0 / n },
            activations: Tensor(
                shape: [vision.tokens, lens.neurons], elements: sums.activations.elements.map { $0 / n }))
    }

    /// One vector a neuron, with lengths from 0 (the first) to about 4. // [N, d]
    func directions(seed: UInt64, neurons: Int) -> Tensor {
        var random = SplitMix64(seed: seed)
        var elements: [Float] = []
        for n in 0..<neurons {
            let length = n == 0 ? 0 : random.uniform(0.1...2)
            elements += (0..<Self.d).map { _ in Float(length * random.uniform(-1...1)) }
        }
        return Tensor(shape: [neurons, Self.d], elements: elements)
    }

    func literal(_ images: [UInt8]) -> [LiteralVision] {
        stride(from: 0, to: images.count, by: Self.size).map {
            LiteralVision(vision, image: images[$0..<$0 + Self.size])
        }
    }

    @Test(arguments: [0, 1, 2]) func reconstructionsMatchTheFormula(layer: Int) throws {
        let lens = try SecondOrderLens(layer: layer, paths: ValueOutputPaths(vision), vision: vision)
        let N = lens.neurons
        let workspace = EffectWorkspace(vision, layers: [layer], capacity: Self.capacity)
        let means = means(lens, workspace)
        let effects = CentredEffects(lens, factors: try lens.choleskyFactors(), means: means, capacity: Self.capacity)
        let meanAblated = MeanAblatedRepresentations(lens, means: means, capacity: Self.capacity)
        // Two sets of vectors on the same effects, as pools and sizes of sparse texts will be.
        let reconstructions = [UInt64(1), 2].map {
            EffectReconstruction(
                DirectionReadings(lens, directions: directions(seed: $0, neurons: N)), capacity: Self.capacity)
        }
        let fitted = literal(fit).map { image in (0..<N).map { image.secondOrderEffect(layer: layer, neuron: $0) } }
        let mean = (0..<N).map { n in
            (0..<Self.d).map { j in fitted.reduce(0) { $0 + $1[n][j] } / Double(fitted.count) }
        }
        let oracle = literal(evaluation)
        var (coefficientErrors, representationErrors) = ([Double](), [Double]())
        run(workspace, evaluation) { pass, start in
            let effects = effects.run(pass)
            let withoutAll = meanAblated.run(pass, effects)
            let reconstructed = reconstructions.map { ($0.readings, $0.run(effects, meanAblated: withoutAll)) }
            func row(_ representations: UnsafePointer<Float>, _ image: Int) -> UnsafeBufferPointer<Float> {
                UnsafeBufferPointer(start: representations + image * Self.d, count: Self.d)
            }
            for image in 0..<pass.batch {
                let literal = oracle[start + image]
                var ablated = literal.representation.map { $0 * literal.scale }
                let centred = (0..<N).map { n in
                    zip(literal.secondOrderEffect(layer: layer, neuron: n), mean[n]).map { $0 - $1 }
                }
                for n in 0..<N { for j in 0..<Self.d { ablated[j] -= centred[n][j] } }
                #expect(relativeError(row(withoutAll, image), ablated) < 1e-4)
                for (readings, found) in reconstructed {
                    let vectors = readings.directions
                    var expected = ablated
                    let coefficients = (0..<N).map { n in
                        zip(centred[n], vectors[row: n]).reduce(0) { $0 + $1.0 * Double($1.1) }
                    }
                    for n in 0..<N {
                        for j in 0..<Self.d {
                            expected[j] += coefficients[n] * Double(vectors.elements[n * Self.d + j])
                        }
                    }
                    coefficientErrors.append(
                        relativeError(
                            (0..<N).map { found.coefficients[$0 * pass.batch + image] }, coefficients))
                    representationErrors.append(relativeError(row(found.representations, image), expected))
                }
            }
        }
        #expect(coefficientErrors.largestMagnitude() < 1e-4)
        #expect(representationErrors.largestMagnitude() < 1e-4)
    }
}
