import CLIPModel
import DenseMath

/// The indirect effects of single neurons: the change of c(I)·r(I) when one neuron's activations are
/// replaced by their per-token means and the rest of the network runs again. Belongs to one worker.
public final class IndirectNeuronEffects {
    private let vision: VisionTransformer
    private let layer: Int
    private let neurons: [Int]
    private let meanActivations: Tensor
    private let workspace: VisionWorkspace
    /// c·r of one image without a neuron. // [d]
    private let representation: FloatBuffer
    /// The layer's output directions, one neuron a row. // [N, D]
    private let outputDirections: Tensor
    /// Effects of each neuron, one image a row. // [neurons][images · d]
    private(set) var effects: [[Float]]

    /// - Parameter meanActivations: p̄ of the layer. // [T, N]
    public init(_ vision: VisionTransformer, layer: Int, neurons: [Int], meanActivations: Tensor, capacity: Int) {
        self.vision = vision
        self.layer = layer
        self.neurons = neurons
        self.meanActivations = meanActivations
        workspace = VisionWorkspace(vision, capacity: capacity)
        representation = FloatBuffer(vision.embeddingWidth)
        outputDirections = vision.blocks[layer].mlpOutput.weight.transposed()
        effects = [[Float]](repeating: [], count: neurons.count)
    }

    /// What was added of each neuron.
    public var tables: [NeuronEffectTable] { effects.map { NeuronEffectTable($0, width: vision.embeddingWidth) } }

    /// Adds a batch.
    /// - Precondition: `pass` captured the layer's activations, MLP input and MLP output.
    public func add(_ pass: EffectPass) {
        let (T, D, N, d) = (vision.tokens, vision.width, outputDirections.shape[0], vision.embeddingWidth)
        let capture = pass.capture(layer)
        let (input, output, activations) = (capture[.mlpInput], capture[.mlpOutput], capture[.activations])
        let bias = vision.blocks[layer].mlpOutput.bias
        for (position, n) in neurons.enumerated() {
            for row in 0..<pass.batch * T {
                let x = workspace.x.base + row * D
                let change = meanActivations.elements[row % T * N + n] - activations[row * N + n]
                for i in 0..<D {
                    x[i] =
                        input[row * D + i] + output[row * D + i] + bias[i]
                        + change * outputDirections.elements[n * D + i]
                }
            }
            let ablated = vision.resume(at: layer + 1, batch: pass.batch, workspace, check: {})
            for image in 0..<pass.batch {
                EffectPass.scale(ablated.embeddings + image * d, count: d, into: representation.base)
                for j in 0..<d {
                    effects[position].append(pass.representations[image * d + j] - representation.base[j])
                }
            }
        }
    }
}

/// The second-order effects φ_n of single neurons of one layer, written out image by image. Belongs to one worker.
public final class SecondOrderNeuronEffects {
    private let lens: SecondOrderLens
    private let neurons: [Int]
    /// M_n of the neurons. // [neurons][K, d]
    private let headDirections: [Tensor]
    private let coordinates: FloatBuffer
    private let biasShares: FloatBuffer
    /// Effects of each neuron, one image a row. // [neurons][images · d]
    private(set) var effects: [[Float]]

    public init(_ lens: SecondOrderLens, neurons: [Int], capacity: Int) {
        self.lens = lens
        self.neurons = neurons
        headDirections = neurons.map { lens.headDirections($0..<$0 + 1) }
        coordinates = FloatBuffer(capacity * lens.headCount)
        biasShares = FloatBuffer(capacity * lens.embeddingWidth)
        effects = [[Float]](repeating: [], count: neurons.count)
    }

    /// What was added of each neuron.
    public var tables: [NeuronEffectTable] { effects.map { NeuronEffectTable($0, width: lens.embeddingWidth) } }

    /// Adds a batch.
    /// - Precondition: `pass` looks at the lens's layer.
    public func add(_ pass: EffectPass) {
        let (batch, K, d) = (pass.batch, lens.headCount, lens.embeddingWidth)
        pass.biasShares(lens, into: biasShares.base)
        for (position, n) in neurons.enumerated() {
            pass.coordinates(lens, ofNeuron: n, into: coordinates.base)
            // φ = s M_n + b
            var rows = Array(UnsafeBufferPointer(start: biasShares.base, count: batch * d))
            BLAS.multiply(
                batch, d, K, coordinates.base, stride: K, headDirections[position].elements, stride: d, beta: 1,
                into: &rows, stride: d)
            effects[position] += rows
        }
    }
}
