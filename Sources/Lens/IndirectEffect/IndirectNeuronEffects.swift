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
        outputDirections = vision.blocks[layer].mlpOutput.weight.transposed()
        effects = [[Float]](repeating: [], count: neurons.count)
    }

    /// Adds the batch that `pass` has just run.
    /// - Precondition: `pass` captured the layer's activations, MLP input and MLP output.
    public func add(_ pass: EffectPass) {
        let (T, D, N, d) = (vision.tokens, vision.width, outputDirections.shape[0], vision.embeddingWidth)
        let capture = pass.workspace.capture(layer)
        let bias = vision.blocks[layer].mlpOutput.bias
        for (position, n) in neurons.enumerated() {
            workspace.resume(batch: pass.batch)
            for row in 0..<pass.batch * T {
                let x = workspace.x.base + row * D
                let change = meanActivations.elements[row % T * N + n] - capture.activations[row * N + n]
                for i in 0..<D {
                    x[i] = capture.mlpInput[row * D + i] + capture.mlpOutput[row * D + i] + bias[i]
                        + change * outputDirections.elements[n * D + i]
                }
            }
            vision.run(layer + 1..<vision.blocks.count, workspace)
            vision.readOut(workspace)
            for image in 0..<pass.batch {
                let ablated = workspace.embeddings.base + image * d
                EffectPass.scale(ablated, count: d, into: ablated)
                for j in 0..<d { effects[position].append(pass.representations.base[image * d + j] - ablated[j]) }
            }
        }
    }

    /// Of each neuron the first right singular vector of its largest effects, centred by their mean over
    /// all images added, and the share of the squares along it; signed as the second-order directions are.
    /// Rows are in the order of the neurons given. // [neurons, d], [neurons]
    /// - Parameter count: effects kept of each neuron, at least one.
    /// - Throws: ``LensError/factorisation(layer:neuron:_:)`` when effects are not finite.
    public func principalDirections(keeping count: Int) throws -> PrincipalDirections {
        let d = vision.embeddingWidth
        var directions: [Float] = []
        var explained: [Float] = []
        for (neuron, effects) in zip(neurons, effects) {
            let rows = Self.largestCentred(effects, width: d, keeping: count)
            var gram = [Float](repeating: 0, count: rows.count / d * (rows.count / d))
            do {
                let (direction, share) = try PrincipalDirections.first(of: rows, count: rows.count / d, width: d, gram: &gram)
                directions += direction
                explained.append(share)
            } catch let error as FactorisationError {
                throw LensError.factorisation(layer: layer, neuron: neuron, error)
            }
        }
        return PrincipalDirections(
            directions: Tensor(shape: [neurons.count, d], elements: directions), explainedVariance: explained)
    }

    /// The rows with the largest norms after the mean of all rows was taken away, largest first.
    private static func largestCentred(_ effects: [Float], width d: Int, keeping count: Int) -> [Float] {
        let images = effects.count / d
        var centred = effects
        for j in 0..<d {
            let mean = (0..<images).reduce(0) { $0 + Double(effects[$1 * d + j]) } / Double(max(images, 1))
            for image in 0..<images { centred[image * d + j] -= Float(mean) }
        }
        var heap = BoundedHeap(capacity: count)
        for image in 0..<images {
            let square = centred[image * d..<(image + 1) * d].reduce(0) { $0 + $1 * $1 }
            _ = heap.insert(.init(score: square, index: Int32(image)))
        }
        return heap.sorted().flatMap { centred[Int($0.index) * d..<(Int($0.index) + 1) * d] }
    }
}
