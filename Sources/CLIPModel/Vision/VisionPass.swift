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
