import CLIPModel
import DenseMath

/// The indirect effect of a whole layer: its activations are replaced by their per-token means and the
/// rest of the network runs again (Table 1, row "indirect"). Belongs to one worker.
public final class IndirectAblation {
    private let vision: VisionTransformer
    private let workspace: VisionWorkspace
    /// The MLP's output with its bias under mean activations, by layer. // [T, D]
    private let meanOutputs: [Int: Tensor]
    /// c(I)·r(I) after ``update(_:layer:)``. // [batch, d]
    public let representations: FloatBuffer

    /// - Parameter means: p̄ of each layer that will be ablated. // [T, N]
    public init(_ vision: VisionTransformer, means: [Int: Tensor], capacity: Int) {
        self.vision = vision
        workspace = VisionWorkspace(vision, capacity: capacity)
        representations = FloatBuffer(capacity * vision.embeddingWidth)
        meanOutputs = Dictionary(
            uniqueKeysWithValues: means.map { layer, activations in
                let output = vision.blocks[layer].mlpOutput
                var result = activations.times(output.weight, transposed: true)
                for i in 0..<result.elements.count { result.elements[i] += output.bias[i % vision.width] }
                return (layer, result)
            })
    }

    /// Runs the rest of the network from the ablated layer on.
    /// - Precondition: `pass` captured the layer's MLP input, and its mean was given.
    public func update(_ pass: EffectPass, layer: Int) { update(pass, layer: layer, check: {}) }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func update(_ pass: EffectPass, layer: Int, check: () throws -> Void) rethrows {
        guard let mean = meanOutputs[layer] else { preconditionFailure("no mean activations of layer \(layer)") }
        let count = vision.tokens * vision.width
        let start = pass.capture(layer)[.mlpInput]
        for image in 0..<pass.batch {
            let x = workspace.x.base + image * count
            x.update(from: start + image * count, count: count)
            BLAS.add(1, mean.elements, to: x, count: count)
        }
        let ablated = try vision.resume(at: layer + 1, batch: pass.batch, workspace, check: check)
        let d = vision.embeddingWidth
        for image in 0..<pass.batch {
            EffectPass.scale(ablated.embeddings + image * d, count: d, into: representations.base + image * d)
        }
    }
}
