import DenseMath

/// What a forward pass keeps of one layer. Declared before the pass; reading what was not declared is
/// a programming error and stops the program.
public struct CaptureRequest: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// p_i^n: MLP activations after the non-linearity.
    public static let activations = CaptureRequest(rawValue: 1)
    /// a_i: the class token's attention row of every head, and μ, σ of ln_1 of every token.
    public static let classAttention = CaptureRequest(rawValue: 2)
    /// The MLP's output without its bias.
    public static let mlpOutput = CaptureRequest(rawValue: 4)
    /// The residual stream between the attention and the MLP, from which a pass can go on.
    public static let mlpInput = CaptureRequest(rawValue: 8)
    /// The residual stream that enters the layer.
    public static let attentionInput = CaptureRequest(rawValue: 16)
    /// Queries, keys and values of every token and head.
    public static let queryKeyValue = CaptureRequest(rawValue: 32)
    /// Every token of what leaves the last layer, in the workspace's ``VisionWorkspace/x``, which otherwise has the class
    /// token's alone.
    public static let allTokens = CaptureRequest(rawValue: 64)

    /// Whether the class token is all that is asked for.
    var isOfClassToken: Bool { isSubset(of: .classAttention) }
}

/// Memory for what was asked of one layer. Belongs to one worker; overwritten by each batch.
public final class LayerCapture {
    public let request: CaptureRequest
    private let layout: TokenLayout
    private let heads: Int
    private let residualCount: Int
    private let activationMemory, attentionMemory, meanMemory, sigmaMemory: FloatBuffer?
    private let outputMemory, mlpInputMemory, attentionInputMemory, queryKeyValueMemory: FloatBuffer?
    /// Rows of the batch in flight, set by the pass.
    var rows: Int

    init(_ request: CaptureRequest, width: Int, neurons: Int, heads: Int, batch: Int, layout: TokenLayout) {
        self.request = request
        self.layout = layout
        self.heads = heads
        rows = batch * layout.count
        residualCount = width
        func memory(_ part: CaptureRequest, _ count: Int) -> FloatBuffer? {
            request.contains(part) ? FloatBuffer(count) : nil
        }
        activationMemory = memory(.activations, rows * neurons)
        attentionMemory = memory(.classAttention, batch * heads * layout.count)
        meanMemory = memory(.classAttention, rows)
        sigmaMemory = memory(.classAttention, rows)
        outputMemory = memory(.mlpOutput, rows * width)
        mlpInputMemory = memory(.mlpInput, rows * width)
        attentionInputMemory = memory(.attentionInput, rows * width)
        queryKeyValueMemory = memory(.queryKeyValue, rows * 3 * width)
    }

    /// p. // [batch · tokens, N]
    public var activations: UnsafePointer<Float> { read(activationMemory, "activations") }
    /// a. // [batch, heads, tokens]
    public var classAttention: UnsafePointer<Float> { read(attentionMemory, "class attention") }
    /// μ of ln_1. // [batch · tokens]
    public var mean: UnsafePointer<Float> { read(meanMemory, "class attention") }
    /// σ of ln_1. // [batch · tokens]
    public var sigma: UnsafePointer<Float> { read(sigmaMemory, "class attention") }
    /// // [batch · tokens, D]
    public var mlpOutput: UnsafePointer<Float> { read(outputMemory, "MLP output") }
    /// // [batch · tokens, D]
    public var mlpInput: UnsafePointer<Float> { read(mlpInputMemory, "MLP input") }
    /// // [batch · tokens, D]
    public var attentionInput: UnsafePointer<Float> { read(attentionInputMemory, "attention input") }

    /// Of a token its queries, keys and values, each head by head. // [batch · tokens, 3D]
    public var queryKeyValue: UnsafePointer<Float> { read(queryKeyValueMemory, "queries, keys and values") }

    private func read(_ memory: FloatBuffer?, _ name: String) -> UnsafePointer<Float> {
        guard let memory else { preconditionFailure("the \(name) of this layer was read but not declared for capture") }
        return UnsafePointer(memory.base)
    }

    // MARK: Written by the block

    var activationsBuffer: UnsafeMutablePointer<Float>? { activationMemory?.base }
    var meanBuffer: UnsafeMutablePointer<Float>? { meanMemory?.base }
    var sigmaBuffer: UnsafeMutablePointer<Float>? { sigmaMemory?.base }
    var mlpOutputBuffer: UnsafeMutablePointer<Float>? { outputMemory?.base }

    var queryKeyValueBuffer: UnsafeMutablePointer<Float>? { queryKeyValueMemory?.base }

    /// - Parameter row: the class token's attention. // [tokens]
    func keepClassAttention(_ row: UnsafePointer<Float>, image: Int, head: Int) {
        attentionMemory?.base.advanced(by: (image * heads + head) * layout.count).update(from: row, count: layout.count)
    }

    /// - Parameter scores: every token's attention. // [tokens, tokens]
    func keepAttention(_ scores: UnsafePointer<Float>, image: Int, head: Int) {
        keepClassAttention(scores + layout.classToken * layout.count, image: image, head: head)
    }

    func keepMLPInput(_ x: UnsafePointer<Float>) { mlpInputMemory?.base.update(from: x, count: rows * residualCount) }

    func keepAttentionInput(_ x: UnsafePointer<Float>) {
        attentionInputMemory?.base.update(from: x, count: rows * residualCount)
    }
}
