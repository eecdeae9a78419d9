import CAllocations
import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Lens

/// Nothing is allocated in the loop over images but lists of chosen neurons: all memory stands in workspaces, one a worker.
@Suite(.enabled(if: cl_allocations_can_be_counted() != 0, "this C library's allocator cannot be replaced"))
struct AllocationTests {
    private static let batch = 4
    /// With so many neurons that an allocation for each would be seen.
    private let vision = RandomVision.make(
        VisionConfiguration(
            imageSize: 8, patchSize: 4, width: 16, layers: 4, heads: 2, mlpWidth: 600, activation: .quickGELU,
            layerNormEpsilon: 1e-5),
        seed: 3)
    private let pixels = RandomVision.images(batch, seed: 22)

    /// Requests for memory in one call, after two that make what is made at first use.
    private func allocations(_ body: () -> Void) throws -> Int {
        body()
        body()
        cl_allocations_begin()
        body()
        return cl_allocations_end()
    }

    /// What the library of linear layers asks for by itself in one product.
    private func allocations(of linear: Linear, activation: Activation? = nil, accumulating: Bool = false) throws -> Int
    {
        let (x, y) = (FloatBuffer(8 * linear.inputs), FloatBuffer(8 * linear.outputs))
        return try allocations {
            linear(x.base, rows: 8, activation: activation, accumulating: accumulating, into: y.base)
        }
    }

    /// The same without a bias.
    private func allocationsOfAProduct(accumulating: Bool = false) throws -> Int {
        guard LinearLibrary.current != .openBLAS else { return 0 }
        let linear = vision.patchEmbedding
        let (x, y) = (FloatBuffer(8 * linear.inputs), FloatBuffer(8 * linear.outputs))
        let packed = try #require(PackedLinear(weight: linear.weight, bias: linear.bias, precision: .fp32))
        return try allocations {
            _ = packed.multiply(x.base, rows: 8, addsBias: false, accumulating: accumulating, into: y.base)
        }
    }

    @Test func anAllocationIsCounted() throws {
        #expect(try allocations { _ = FloatBuffer(8) } >= 1)
        #expect(try allocations {} == 0)
    }

    @Test(arguments: [CaptureRequest(), [.activations, .classAttention, .mlpOutput, .mlpInput]])
    func theForwardPassAllocatesNothing(capturing: CaptureRequest) throws {
        let workspace = VisionWorkspace(
            vision, capacity: Self.batch, capturing: [CaptureRequest](repeating: capturing, count: vision.blocks.count))
        let found = try allocations { _ = vision(pixels, batch: Self.batch, workspace) }
        var products = try allocationsOfAProduct()
        for block in vision.blocks {
            products +=
                try allocations(of: block.queryKeyValue) + allocations(of: block.attentionOutput, accumulating: true)
            products += try allocations(of: block.mlpInput, activation: block.activation)
            products +=
                try capturing.contains(.mlpOutput)
                ? allocationsOfAProduct() : allocations(of: block.mlpOutput, accumulating: true)
        }
        #expect(found == products)
    }

    @Test func theLensAllocatesNothing() throws {
        let layers = [0, 1, 2]
        let paths = ValueOutputPaths(vision)
        let lenses = try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: vision) }
        let pass = EffectWorkspace(vision, layers: layers, capacity: Self.batch).run(pixels, batch: Self.batch)
        let (first, further) = (try allocationsOfAProduct(), try allocationsOfAProduct(accumulating: true))
        for lens in lenses {
            let sums = EffectSums(lens, tokens: vision.tokens, capacity: Self.batch)
            let ofSums = try allocations { sums.add(pass) }
            // A product for each head, and one for each layer of them, added to that of the layer before.
            let layers = lens.headCount / vision.configuration.heads
            let carried = (lens.headCount + 1) * first + (layers - 1) * further
            #expect(ofSums == carried, "layer \(lens.layer)")

            let means = EffectMeans(
                coordinates: Tensor(zeros: [lens.neurons, lens.headCount]),
                biasShare: [Float](repeating: 0, count: lens.embeddingWidth),
                total: [Float](repeating: 0, count: lens.embeddingWidth),
                activations: Tensor(zeros: [vision.tokens, lens.neurons]))
            let effects = CentredEffects(lens, factors: try lens.choleskyFactors(), means: means, capacity: Self.batch)
            #expect(try allocations { _ = effects.run(pass) } == 0, "layer \(lens.layer)")

            let ablation = MeanAblation(
                effects, means: means, thresholds: [Float](repeating: 2, count: lens.neurons),
                readings: DirectionReadings(lens, directions: Tensor(zeros: [lens.neurons, lens.embeddingWidth])),
                capacity: Self.batch)
            let ofAblation = try allocations { _ = ablation.run(pass, firstImage: 0, seed: 1) } - carried
            // The neurons that are chosen on an image are lists, which grow a few times; nothing is made for a neuron.
            #expect(ofAblation < lens.neurons / 2, "layer \(lens.layer): \(ofAblation)")
            let centred = effects.run(pass)
            let ofNorms = try allocations { _ = centred.norms() }
            #expect(ofNorms < lens.neurons / 2, "layer \(lens.layer): \(ofNorms)")
            #expect(ablation.run(pass, firstImage: 0, seed: 1).significant.contains { $0 > 0 })
        }
    }
}
