import CLIPModel
import DenseMath

/// The direct (first-order) effects of attention heads, attention layers and MLPs on c(I)·r(I): what each
/// writes at the class token, through ln_post with its statistics held fixed and the projection.
///
///     e(v) = (c/σ*) Pᵀ(γ* ∘ v)
///     head k = (l,h):    v = W_O^k ( W_V^k Σ_i a_i ln_1(x_i) + b_V^k )
///     attention layer l: v = Σ_h of its heads + b_O,          MLP l: v = W_out p_0 + b_out
///
/// What no layer wrote are two terms more, so that c·r is the sum of all of them:
///
///     c·r = e(x_0) + Σ_l e(attention l) + Σ_l e(MLP l) + c Pᵀ(β* − (μ*/σ*) γ*)
///
/// with x_0 the class token after ln_pre. Source: arXiv 2310.05916, section 3, with the means and biases of
/// layer normalisations kept apart instead of being shared out. Holds until the workspace runs again.
public struct DirectEffects {
    public let batch: Int
    private let workspace: DirectEffectsWorkspace

    fileprivate init(_ workspace: DirectEffectsWorkspace, batch: Int) {
        (self.workspace, self.batch) = (workspace, batch)
    }

    public var vision: VisionTransformer { workspace.vision }
    /// c(I)·r(I), the representation scaled to length 100. // [batch, d]
    public var representations: UnsafePointer<Float> { UnsafePointer(workspace.representations.base) }
    /// // [batch, L, d]
    public var attention: UnsafePointer<Float> { UnsafePointer(workspace.attention.base) }
    /// // [batch, L · H, d]
    public var heads: UnsafePointer<Float> { UnsafePointer(workspace.heads.base) }
    /// // [batch, L, d]
    public var mlps: UnsafePointer<Float> { UnsafePointer(workspace.mlps.base) }
    /// e(x_0): the class token before the first layer. // [batch, d]
    public var embedding: UnsafePointer<Float> { UnsafePointer(workspace.embedding.base) }
    /// c Pᵀ(β* − (μ*/σ*) γ*): the offsets of ln_post. // [batch, d]
    public var constants: UnsafePointer<Float> { UnsafePointer(workspace.constants.base) }
    /// (c/σ*)(W_V Σ_i a_i ln_1(x_i) + b_V), of which the head's output_k makes its effect. // [batch, L · H, d_h]
    var headValues: UnsafePointer<Float> { UnsafePointer(workspace.headValues.base) }
}

/// Runs the image tower and decomposes what it gave into ``DirectEffects``. Belongs to one worker.
public final class DirectEffectsWorkspace {
    public let vision: VisionTransformer
    private let workspace: VisionWorkspace
    private let paths: ValueOutputPaths
    fileprivate let representations, attention, heads, mlps, embedding, constants, headValues: FloatBuffer
    /// W_V β + b_V of all heads. // [L · H · d_h]
    private let valueBiases: [Float]
    /// a_i/σ_i. // [H, T]
    private let weights: FloatBuffer
    /// Σ_i a_i (x_i − μ_i)/σ_i. // [batch, H, D]
    private let mixed: FloatBuffer
    /// Vectors of the residual stream at the class token. // [batch, D]
    private let residual: FloatBuffer
    /// c and c/σ*. // [batch]
    private var scales: [(c: Float, overSigma: Float)]

    /// What a pass has to keep of every layer.
    public static let request = CaptureRequest.classToken.union([.attentionInput, .mlpOutput])

    /// The largest batch that fits.
    public var capacity: Int { workspace.capacity }

    /// - Parameter paths: of the same tower, shared by all workers.
    public init(_ vision: VisionTransformer, paths: ValueOutputPaths, capacity: Int) {
        self.vision = vision
        self.paths = paths
        workspace = VisionWorkspace(
            vision, capacity: capacity,
            capturing: [CaptureRequest](repeating: Self.request, count: vision.blocks.count))
        let (L, H) = (paths.layers, paths.heads)
        let (D, d) = (vision.width, vision.embeddingWidth)
        representations = FloatBuffer(capacity * d)
        attention = FloatBuffer(capacity * L * d)
        heads = FloatBuffer(capacity * L * H * d)
        mlps = FloatBuffer(capacity * L * d)
        embedding = FloatBuffer(capacity * d)
        constants = FloatBuffer(capacity * d)
        headValues = FloatBuffer(capacity * L * D)
        weights = FloatBuffer(H * vision.tokens)
        mixed = FloatBuffer(capacity * H * D)
        residual = FloatBuffer(capacity * D)
        scales = [(Float, Float)](repeating: (0, 0), count: capacity)
        valueBiases = vision.blocks.flatMap { block in
            var biases = Array(block.queryKeyValue.bias[(2 * D)...])
            block.queryKeyValue.weight.elements.withUnsafeBufferPointer { weights in
                guard let weights = weights.baseAddress else { return }
                BLAS.multiply(
                    D, D, weights + 2 * D * D, stride: D, vector: block.attentionNorm.bias, beta: 1, into: &biases)
            }
            return biases
        }
    }

    /// Runs the tower and decomposes what it gave. // [batch, size, size, 3]
    public func run(_ images: UnsafePointer<UInt8>, batch: Int) -> DirectEffects {
        run(images, batch: batch, check: {})
    }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func run(
        _ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void
    ) rethrows -> DirectEffects {
        decompose(try vision(images, batch: batch, workspace, check: check))
    }

    /// Decomposes a pass that kept ``request`` of every layer.
    public func decompose(_ pass: VisionPass) -> DirectEffects {
        let (d, D, batch) = (vision.embeddingWidth, vision.width, pass.batch)
        for image in 0..<batch {
            let c = EffectPass.scale(pass.embeddings + image * d, count: d, into: representations.base + image * d)
            let (mean, sigma) = (pass.outputMean[image], pass.outputSigma[image])
            scales[image] = (c, c / sigma)
            for j in 0..<d {
                constants.base[image * d + j] = c * (paths.offsetImage[j] - mean / sigma * paths.scaleImage[j])
            }
        }
        // No layer has written to the first layer's input.
        let first = pass.capture(0)[.attentionInput]
        for image in 0..<batch { scaled(first + vision.layout.classRow(of: image) * D, image: image) }
        project(batch: batch, into: embedding.base, stride: d)
        for layer in 0..<paths.layers {
            mixTokens(pass.capture(layer), batch: batch)
            evaluateHeads(layer, batch: batch)
            sumHeads(layer, batch: batch)
            let output = pass.capture(layer)[.mlpOutput]
            for image in 0..<batch {
                scaled(
                    output + vision.layout.classRow(of: image) * D, plus: vision.blocks[layer].mlpOutput.bias,
                    image: image)
            }
            project(batch: batch, into: mlps.base + layer * d, stride: paths.layers * d)
        }
        return DirectEffects(self, batch: batch)
    }

    /// Σ_i a_i (x_i − μ_i)/σ_i by head: attention sums to one, so that γ, β and the value map may come after
    /// the tokens are mixed. // → mixed
    private func mixTokens(_ capture: LayerCapture, batch: Int) {
        let (T, H, D) = (vision.tokens, paths.heads, vision.width)
        for image in 0..<batch {
            let (mean, sigma) = (capture[.attentionMean] + image * T, capture[.attentionSigma] + image * T)
            let rows = mixed.base + image * H * D
            let a = capture[.classAttention] + image * H * T
            for head in 0..<H {
                for token in 0..<T { weights.base[head * T + token] = a[head * T + token] / sigma[token] }
            }
            BLAS.multiply(
                H, D, T, weights.base, stride: T, capture[.attentionInput] + image * T * D, stride: D, into: rows,
                stride: D)
            for head in 0..<H {
                let shift = BLAS.dot(weights.base + head * T, mean, count: T)
                for i in 0..<D { rows[head * D + i] -= shift }
            }
        }
    }

    /// From mixed tokens to values to effects. // → headValues, heads
    private func evaluateHeads(_ layer: Int, batch: Int) {
        let (H, D, d, width) = (paths.heads, vision.width, vision.embeddingWidth, paths.headWidth)
        let values = headValues.base + layer * D
        let stride = paths.layers * D
        paths.inputs.elements.withUnsafeBufferPointer { inputs in
            guard let inputs = inputs.baseAddress else { return }
            for head in 0..<H {
                BLAS.multiply(
                    batch, width, D, mixed.base + head * D, stride: H * D, inputs + (layer * H + head) * width * D,
                    stride: D, otherTransposed: true, into: values + head * width, stride: stride)
            }
        }
        for image in 0..<batch {
            for i in 0..<D {
                values[image * stride + i] =
                    scales[image].overSigma * (values[image * stride + i] + valueBiases[layer * D + i])
            }
        }
        paths.outputs.elements.withUnsafeBufferPointer { outputs in
            guard let outputs = outputs.baseAddress else { return }
            for head in 0..<H {
                let k = layer * H + head
                BLAS.multiply(
                    batch, d, width, values + head * width, stride: stride, outputs + k * width * d, stride: d,
                    into: heads.base + k * d, stride: paths.headCount * d)
            }
        }
    }

    /// Σ_h of a layer's heads + b_O. // → attention
    private func sumHeads(_ layer: Int, batch: Int) {
        let (L, H, d) = (paths.layers, paths.heads, vision.embeddingWidth)
        for image in 0..<batch {
            let sum = attention.base + (image * L + layer) * d
            for j in 0..<d { sum[j] = scales[image].overSigma * paths.outputBiases.elements[layer * d + j] }
            for head in 0..<H { BLAS.add(1, heads.base + ((image * L + layer) * H + head) * d, to: sum, count: d) }
        }
    }

    /// (c/σ*)(v + bias). // → residual
    private func scaled(_ v: UnsafePointer<Float>, plus bias: [Float]? = nil, image: Int) {
        let D = vision.width
        let row = residual.base + image * D
        for i in 0..<D { row[i] = scales[image].overSigma * (v[i] + (bias?[i] ?? 0)) }
    }

    /// Pᵀ(γ* ∘ residual) of every image.
    private func project(batch: Int, into out: UnsafeMutablePointer<Float>, stride: Int) {
        let (D, d) = (vision.width, vision.embeddingWidth)
        BLAS.multiply(
            batch, d, D, residual.base, stride: D, paths.scaledProjection.elements, stride: d, into: out, stride: stride
        )
    }
}

extension ValueOutputPaths {
    /// Where each neuron of a layer moves the representation by what it writes at the class token itself,
    /// without any later layer: every image has the direction
    ///
    ///     Pᵀ(γ* ∘ (w^n − mean of w^n))
    ///
    /// because ln_post takes the mean away. Unit rows; zeros for a neuron that writes nothing. // [N, d]
    /// - Precondition: a layer of the tower that the paths are of.
    public func directDirections(layer: Int, of vision: VisionTransformer) -> Tensor {
        var written = vision.blocks[layer].mlpOutput.weight.transposed()  // [N, D]
        let (N, D) = (written.shape[0], written.shape[1])
        for n in 0..<N {
            let mean = written[row: n].reduce(0, +) / Float(D)
            for i in n * D..<(n + 1) * D { written.elements[i] -= mean }
        }
        return written.times(scaledProjection).rowsNormalised()
    }
}
