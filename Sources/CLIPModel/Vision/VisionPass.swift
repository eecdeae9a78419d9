import DenseMath

/// What a forward pass of the image tower left in its workspace. Holds until the workspace runs again.
public struct VisionPass {
    /// Images that ran.
    public let batch: Int
    let workspace: VisionWorkspace

    init(_ workspace: VisionWorkspace, batch: Int) { (self.workspace, self.batch) = (workspace, batch) }

    /// r(I), not normalised. // [batch, d]
    public var embeddings: UnsafePointer<Float> { UnsafePointer(workspace.embeddings.base) }
    /// μ* of ln_post. // [batch]
    public var outputMean: UnsafePointer<Float> { UnsafePointer(workspace.outputMean.base) }
    /// σ* of ln_post. // [batch]
    public var outputSigma: UnsafePointer<Float> { UnsafePointer(workspace.outputSigma.base) }
    /// The class token after ln_post. // [batch, D]
    public var pooled: UnsafePointer<Float> { UnsafePointer(workspace.pooled.base) }
    /// What leaves the last layer; in the class token's rows alone, unless something of all tokens was declared for capture
    /// there. // [batch · T, D]
    public var output: UnsafePointer<Float> { UnsafePointer(workspace.x.base) }
    /// Normalised pixels by patch, channel first inside a patch. // [batch · patches, 3 · patch · patch]
    public var patches: UnsafePointer<Float> { UnsafePointer(workspace.patches.base) }

    /// What was kept of a layer of which something was declared for capture.
    public func capture(_ layer: Int) -> LayerCapture {
        guard let capture = workspace.captures[layer] else {
            preconditionFailure("nothing of layer \(layer) was declared for capture")
        }
        return capture
    }
}

/// Memory for everything that a forward pass of the image tower writes. Belongs to one worker.
public final class VisionWorkspace {
    /// The largest batch that fits.
    public let capacity: Int
    /// The residual stream, from which a pass can also start. // [batch · T, D]
    package let x: FloatBuffer
    /// Free between two passes.
    package let block: BlockScratch
    let embeddings, outputMean, outputSigma, patches, pooled: FloatBuffer
    let captures: [LayerCapture?]

    /// - Parameter requests: for each layer what to keep; an empty array keeps nothing.
    public init(_ transformer: VisionTransformer, capacity: Int, capturing requests: [CaptureRequest] = []) {
        let configuration = transformer.configuration
        self.capacity = capacity
        x = FloatBuffer(capacity * transformer.tokens * transformer.width)
        embeddings = FloatBuffer(capacity * transformer.embeddingWidth)
        (outputMean, outputSigma) = (FloatBuffer(capacity), FloatBuffer(capacity))
        patches = FloatBuffer(capacity * transformer.layout.patches * transformer.patchEmbedding.inputs)
        pooled = FloatBuffer(capacity * transformer.width)
        block = BlockScratch(
            width: transformer.width, neurons: configuration.mlpWidth, batch: capacity, tokens: transformer.tokens)
        captures = (0..<configuration.layers).map { layer in
            guard layer < requests.count, !requests[layer].isEmpty else { return nil }
            return LayerCapture(requests[layer], configuration, batch: capacity)
        }
    }
}

/// A step of a layer that a forward pass can keep. The rows of its memory are the tokens of all images of the batch.
public enum LayerTap: Int, CaseIterable, Sendable {
    /// x, the residual stream that enters. // [batch · T, D]
    case attentionInput
    /// μ and σ of ln_1. // [batch · T]
    case attentionMean, attentionSigma
    /// ln_1(x). // [batch · T, D]
    case attentionNormalised
    /// Of a token its queries, keys and values with their biases, each head by head. // [batch · T, 3D]
    case queryKeyValue
    /// A, after the softmax. // [batch, H, T, T]
    case attention
    /// a: the class token's row of A. // [batch, H, T]
    case classAttention
    /// A·V of all heads side by side. // [batch · T, D]
    case mixed
    /// What the attention adds to the residual stream, with b_O. // [batch · T, D]
    case attentionBranch
    /// The residual stream between the attention and the MLP, from which a pass can go on. // [batch · T, D]
    case mlpInput
    /// μ and σ of ln_2. // [batch · T]
    case mlpMean, mlpSigma
    /// ln_2 of ``mlpInput``. // [batch · T, D]
    case mlpNormalised
    /// What enters the non-linearity. // [batch · T, N]
    case preactivations
    /// p_i^n, what leaves it. // [batch · T, N]
    case activations
    /// The MLP's output without its bias. // [batch · T, D]
    case mlpOutput
    /// What the MLP adds to the residual stream, with its bias. // [batch · T, D]
    case mlpBranch
    /// The residual stream that leaves. // [batch · T, D]
    case output

    /// Numbers that a batch takes.
    fileprivate func count(_ vision: VisionConfiguration, batch: Int) -> Int {
        let rows = batch * vision.tokens
        return switch self {
        case .attentionMean, .attentionSigma, .mlpMean, .mlpSigma: rows
        case .preactivations, .activations: rows * vision.mlpWidth
        case .queryKeyValue: rows * 3 * vision.width
        case .attention: rows * vision.heads * vision.tokens
        case .classAttention: rows * vision.heads
        case .attentionInput, .attentionNormalised, .mixed, .attentionBranch, .mlpInput, .mlpNormalised, .mlpOutput,
            .mlpBranch, .output:
            rows * vision.width
        }
    }
}

/// What a forward pass keeps of one layer. Declared before the pass; reading what was not declared is a programming error
/// and stops the program.
public typealias CaptureRequest = Set<LayerTap>

extension CaptureRequest {
    /// The class token's attention and the statistics of the norm before it: all that there is to keep of a last layer that
    /// runs for the class token alone.
    public static let classToken: CaptureRequest = [.classAttention, .attentionMean, .attentionSigma]
}

/// Memory for what was asked of one layer. Belongs to one worker; overwritten by each batch.
public final class LayerCapture {
    /// Whether the class token is all that is asked for.
    let isOfClassToken: Bool
    /// Whether something is asked for that is never written where the MLP rounds to bf16 on its way.
    let isOfMLP: Bool
    private let vision: VisionConfiguration
    /// In the order of the taps.
    private let memory: [FloatBuffer?]

    init(_ request: CaptureRequest, _ vision: VisionConfiguration, batch: Int) {
        precondition(
            !request.isSuperset(of: [.mlpOutput, .mlpBranch]), "the MLP's output is kept with its bias or without it")
        self.vision = vision
        isOfClassToken = request.isSubset(of: .classToken)
        isOfMLP = !request.isDisjoint(with: [.preactivations, .activations, .mlpOutput, .mlpBranch])
        memory = LayerTap.allCases.map { request.contains($0) ? FloatBuffer($0.count(vision, batch: batch)) : nil }
    }

    /// What a batch left at a tap, in the shape that the tap states.
    public subscript(tap: LayerTap) -> UnsafePointer<Float> {
        guard let memory = buffer(tap) else {
            preconditionFailure("the \(tap) of this layer was read but not declared for capture")
        }
        return UnsafePointer(memory)
    }

    // MARK: Written by the block

    func buffer(_ tap: LayerTap) -> UnsafeMutablePointer<Float>? { memory[tap.rawValue]?.base }

    func keep(_ tap: LayerTap, _ x: UnsafePointer<Float>, count: Int) { buffer(tap)?.update(from: x, count: count) }

    /// - Parameter scores: the attention of all tokens, or of the class token alone. // [T, T] or [T]
    func keepClassAttention(of scores: UnsafePointer<Float>, amongAll: Bool, image: Int, head: Int) {
        guard let memory = buffer(.classAttention) else { return }
        let row = scores + (amongAll ? vision.layout.classToken * vision.tokens : 0)
        (memory + (image * vision.heads + head) * vision.tokens).update(from: row, count: vision.tokens)
    }
}
