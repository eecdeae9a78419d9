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
/// layer normalisations kept apart instead of being shared out. Belongs to one worker.
public final class DirectEffects {
    public let vision: VisionTransformer
    public let workspace: VisionWorkspace
    let paths: ValueOutputPaths
    /// c(I)·r(I), the representation scaled to length 100. // [batch, d]
    public let representations: FloatBuffer
    /// // [batch, L, d]
    public let attention: FloatBuffer
    /// // [batch, L · H, d]
    public let heads: FloatBuffer
    /// // [batch, L, d]
    public let mlps: FloatBuffer
    /// e(x_0): the class token before the first layer. // [batch, d]
    public let embedding: FloatBuffer
    /// c Pᵀ(β* − (μ*/σ*) γ*): the offsets of ln_post. // [batch, d]
    public let constants: FloatBuffer
    /// (c/σ*)(W_V Σ_i a_i ln_1(x_i) + b_V), of which the head's output_k makes its effect. // [batch, L · H, d_h]
    let headValues: FloatBuffer
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

    /// What a workspace has to keep of every layer.
    public static let request = CaptureRequest.classToken.union([.attentionInput, .mlpOutput])

    public var batch: Int { workspace.batch }
    public var capacity: Int { workspace.capacity }

    /// With a workspace of its own.
    public convenience init(_ vision: VisionTransformer, paths: ValueOutputPaths, capacity: Int) {
        let requests = [CaptureRequest](repeating: Self.request, count: vision.blocks.count)
        self.init(vision, paths: paths, workspace: VisionWorkspace(vision, capacity: capacity, capturing: requests))
    }

    /// - Parameters:
    ///   - paths: of the same tower, shared by all workers.
    ///   - workspace: keeps ``request`` of every layer.
    public init(_ vision: VisionTransformer, paths: ValueOutputPaths, workspace: VisionWorkspace) {
        self.vision = vision
        self.paths = paths
        self.workspace = workspace
        let (capacity, L, H) = (workspace.capacity, paths.layers, paths.heads)
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
    public func run(_ images: UnsafePointer<UInt8>, batch: Int) { run(images, batch: batch, check: {}) }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func run(_ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void) rethrows {
        try vision(images, batch: batch, workspace, check: check)
        decompose()
    }

    /// Decomposes the pass that somebody else has just run in ``workspace``.
    public func decompose() {
        let (d, D) = (vision.embeddingWidth, vision.width)
        for image in 0..<batch {
            let c = EffectPass.scale(
                workspace.embeddings.base + image * d, count: d, into: representations.base + image * d)
            let (mean, sigma) = (workspace.outputMean.base[image], workspace.outputSigma.base[image])
            scales[image] = (c, c / sigma)
            for j in 0..<d {
                constants.base[image * d + j] = c * (paths.offsetImage[j] - mean / sigma * paths.scaleImage[j])
            }
        }
        // No layer has written to the first layer's input.
        let first = workspace.capture(0)[.attentionInput]
        for image in 0..<batch { scaled(first + vision.layout.classRow(of: image) * D, image: image) }
        project(into: embedding.base, stride: d)
        for layer in 0..<paths.layers {
            mixTokens(layer)
            evaluateHeads(layer)
            sumHeads(layer)
            let output = workspace.capture(layer)[.mlpOutput]
            for image in 0..<batch {
                scaled(
                    output + vision.layout.classRow(of: image) * D, plus: vision.blocks[layer].mlpOutput.bias,
                    image: image)
            }
            project(into: mlps.base + layer * d, stride: paths.layers * d)
        }
    }

    /// Σ_i a_i (x_i − μ_i)/σ_i by head: attention sums to one, so that γ, β and the value map may come after
    /// the tokens are mixed. // → mixed
    private func mixTokens(_ layer: Int) {
        let (T, H, D) = (vision.tokens, paths.heads, vision.width)
        let capture = workspace.capture(layer)
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
    private func evaluateHeads(_ layer: Int) {
        let (H, D, d, width) = (paths.heads, vision.width, vision.embeddingWidth, paths.headWidth)
        let values = headValues.base + layer * D
        let stride = paths.layers * D
        paths.inputs.elements.withUnsafeBufferPointer { inputs in
            guard let inputs = inputs.baseAddress else { return }
            for head in 0..<H {
                BLAS.multiply(
                    batch, width, D, mixed.base + head * D, stride: H * D, inputs + (layer * H + head) * width * D,
                    stride: D,
                    otherTransposed: true, into: values + head * width, stride: stride)
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
    private func sumHeads(_ layer: Int) {
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
    private func project(into out: UnsafeMutablePointer<Float>, stride: Int) {
        let (D, d) = (vision.width, vision.embeddingWidth)
        BLAS.multiply(
            batch, d, D, residual.base, stride: D, paths.scaledProjection.elements, stride: d, into: out, stride: stride
        )
    }
}
