import DenseMath

/// CLIP's image tower: patches → pre-norm transformer → class token → joint space.
public struct VisionTransformer: Sendable {
    public let configuration: VisionConfiguration
    /// Without a bias. // [D, 3 · patch · patch], channel first
    public let patchEmbedding: Linear
    /// // [D]
    public let classEmbedding: [Float]
    /// // [T, D]
    public let positionEmbedding: Tensor
    /// ln_pre
    public let inputNorm: LayerNorm
    public let blocks: [TransformerBlock]
    /// ln_post and P.
    public let readout: Readout
    public let normalisation: PixelNormalisation

    public var layout: TokenLayout { configuration.layout }
    /// Number T of tokens.
    public var tokens: Int { layout.count }
    /// Width D of the residual stream.
    public var width: Int { configuration.width }
    /// Width d of the joint space.
    public var embeddingWidth: Int { readout.embeddingWidth }

    /// - Precondition: the shapes are those that the configuration implies.
    public init(
        configuration: VisionConfiguration, patchEmbedding: Tensor, classEmbedding: [Float], positionEmbedding: Tensor,
        inputNorm: LayerNorm, blocks: [TransformerBlock], readout: Readout, normalisation: PixelNormalisation
    ) {
        self.init(
            configuration: configuration,
            patchEmbedding: Linear(weight: patchEmbedding, bias: [Float](repeating: 0, count: patchEmbedding.shape[0])),
            classEmbedding: classEmbedding, positionEmbedding: positionEmbedding, inputNorm: inputNorm, blocks: blocks,
            readout: readout, normalisation: normalisation)
    }

    /// - Precondition: the shapes are those that the configuration implies.
    public init(
        configuration: VisionConfiguration, patchEmbedding: Linear, classEmbedding: [Float], positionEmbedding: Tensor,
        inputNorm: LayerNorm, blocks: [TransformerBlock], readout: Readout, normalisation: PixelNormalisation
    ) {
        precondition(blocks.count == configuration.layers && positionEmbedding.shape[0] == configuration.tokens)
        precondition(patchEmbedding.bias.allSatisfy { $0 == 0 }, "the patches' product has no bias")
        self.configuration = configuration
        self.patchEmbedding = patchEmbedding
        self.classEmbedding = classEmbedding
        self.positionEmbedding = positionEmbedding
        self.inputNorm = inputNorm
        self.blocks = blocks
        self.readout = readout
        self.normalisation = normalisation
    }

    /// The tower with the products of its patches and its blocks' linear layers in another precision.
    public func with(_ precision: Precision) -> VisionTransformer {
        VisionTransformer(
            configuration: configuration, patchEmbedding: patchEmbedding.with(precision),
            classEmbedding: classEmbedding,
            positionEmbedding: positionEmbedding, inputNorm: inputNorm, blocks: blocks.map { $0.with(precision) },
            readout: readout, normalisation: normalisation)
    }

    /// Embeds images and runs every block.
    /// - Parameters:
    ///   - images: 8-bit RGB of the model's size, one after the other. // [batch, size, size, 3]
    ///   - workspace: holds the residual stream, the captures and afterwards the embeddings.
    public func callAsFunction(_ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace) {
        self(images, batch: batch, workspace, check: {})
    }

    /// The same for a large model, of which a batch takes a while.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func callAsFunction(
        _ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace, check: () throws -> Void
    ) rethrows {
        embed(images, batch: batch, workspace)
        try run(0..<blocks.count, workspace, check: check)
        readOut(workspace)
    }

    /// Patches times their embedding, class token, positions, ln_pre. // → workspace.x [batch · T, D]
    public func embed(_ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace) {
        workspace.resume(batch: batch)
        for image in 0..<batch {
            normalisation.patches(
                of: images + image * 3 * configuration.imageSize * configuration.imageSize,
                imageSize: configuration.imageSize, patchSize: configuration.patchSize,
                into: workspace.patches.base + image * layout.patches * patchEmbedding.inputs)
        }
        let x = workspace.x.base
        placeTokens(workspace, into: x)
        for image in 0..<batch {
            BLAS.add(1, positionEmbedding.elements, to: x + image * tokens * width, count: tokens * width)
        }
        inputNorm(
            x, rows: batch * tokens, into: x, mean: workspace.block.mean.base, sigma: workspace.block.sigma.base)
    }

    /// The class token's embedding and the patches times theirs, without positions.
    /// - Parameter tokens: // [batch · T, D]
    package func placeTokens(_ workspace: VisionWorkspace, into tokens: UnsafeMutablePointer<Float>) {
        let embedded = workspace.block.mixed.base
        patchEmbedding.multiply(workspace.patches.base, rows: workspace.batch * layout.patches, into: embedded)
        for image in 0..<workspace.batch {
            let target = tokens + image * layout.count * width
            (target + layout.classToken * width).update(from: classEmbedding, count: width)
            (target + layout.prefix * width).update(
                from: embedded + image * layout.patches * width, count: layout.patches * width)
        }
    }

    /// Runs some of the blocks on the residual stream in `workspace.x`; the last one for the class token alone, unless
    /// something of all tokens was declared for capture there.
    public func run(_ layers: Range<Int>, _ workspace: VisionWorkspace) { run(layers, workspace, check: {}) }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func run(_ layers: Range<Int>, _ workspace: VisionWorkspace, check: () throws -> Void) rethrows {
        for layer in layers {
            try check()
            let (x, batch, capture) = (workspace.x.base, workspace.batch, workspace.captures[layer])
            if layer == blocks.count - 1, capture?.isOfClassToken ?? true {
                blocks[layer].advanceOneToken(
                    x, at: { _ in layout.classToken }, batch: batch, tokens: tokens, mask: .none,
                    scratch: workspace.block, capture: capture)
            } else {
                blocks[layer](x, batch: batch, tokens: tokens, mask: .none, scratch: workspace.block, capture: capture)
            }
        }
    }

    /// Reads the class token. // → workspace.embeddings [batch, d]
    public func readOut(_ workspace: VisionWorkspace) {
        readout(
            workspace.x.base, at: { _ in layout.classToken }, batch: workspace.batch, tokens: tokens,
            normalised: workspace.pooled.base, mean: workspace.outputMean.base,
            sigma: workspace.outputSigma.base, into: workspace.embeddings.base)
    }
}

/// Everything a forward pass of the image tower writes. Belongs to one worker.
public final class VisionWorkspace {
    /// The largest batch that fits.
    public let capacity: Int
    /// Images in flight.
    public private(set) var batch = 0
    /// The residual stream; what leaves the last layer in the class token's rows alone, unless something of all tokens was
    /// declared for capture there. // [batch · T, D]
    public let x: FloatBuffer
    /// r(I), not normalised. // [batch, d]
    public let embeddings: FloatBuffer
    /// μ* of ln_post. // [batch]
    public let outputMean: FloatBuffer
    /// σ* of ln_post. // [batch]
    public let outputSigma: FloatBuffer
    /// What each layer keeps, where something was asked for.
    public let captures: [LayerCapture?]
    /// Normalised pixels by patch, channel first inside a patch. // [batch · patches, 3 · patch · patch]
    package let patches: FloatBuffer
    /// The class token after ln_post. // [batch, D]
    package let pooled: FloatBuffer
    /// Free between two passes.
    package let block: BlockScratch

    /// - Parameter requests: for each layer what to keep; an empty array keeps nothing.
    public init(_ transformer: VisionTransformer, capacity: Int, capturing requests: [CaptureRequest] = []) {
        let configuration = transformer.configuration
        self.capacity = capacity
        x = FloatBuffer(capacity * transformer.tokens * transformer.width)
        embeddings = FloatBuffer(capacity * transformer.embeddingWidth)
        outputMean = FloatBuffer(capacity)
        outputSigma = FloatBuffer(capacity)
        patches = FloatBuffer(capacity * transformer.layout.patches * transformer.patchEmbedding.inputs)
        pooled = FloatBuffer(capacity * transformer.width)
        block = BlockScratch(
            width: transformer.width, neurons: configuration.mlpWidth, batch: capacity, tokens: transformer.tokens)
        captures = (0..<configuration.layers).map { layer in
            guard layer < requests.count, !requests[layer].isEmpty else { return nil }
            return LayerCapture(requests[layer], configuration, batch: capacity)
        }
    }

    /// The capture of a layer of which something was asked.
    public func capture(_ layer: Int) -> LayerCapture {
        guard let capture = captures[layer] else {
            preconditionFailure("nothing of layer \(layer) was declared for capture")
        }
        return capture
    }

    /// Sets the number of images of a pass that starts from a residual stream written into `x`.
    public func resume(batch: Int) {
        precondition(batch <= capacity, "a batch of \(batch) in a workspace for \(capacity)")
        self.batch = batch
    }
}
