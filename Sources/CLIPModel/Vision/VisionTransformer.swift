import DenseMath

/// CLIP's image tower: patches → pre-norm transformer → class token → joint space.
public struct VisionTransformer: Sendable {
    public internal(set) var configuration: VisionConfiguration
    /// Without a bias. // [D, 3 · patch · patch], channel first
    public internal(set) var patchEmbedding: Linear
    /// // [D]
    public let classEmbedding: [Float]
    /// // [T, D]
    public internal(set) var positionEmbedding: Tensor
    /// ln_pre
    public let inputNorm: LayerNorm
    public internal(set) var blocks: [TransformerBlock]
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
        precondition(blocks.count == configuration.layers && positionEmbedding.shape[0] == configuration.tokens)
        self.configuration = configuration
        self.patchEmbedding = Linear(
            weight: patchEmbedding, bias: [Float](repeating: 0, count: patchEmbedding.shape[0]))
        self.classEmbedding = classEmbedding
        self.positionEmbedding = positionEmbedding
        self.inputNorm = inputNorm
        self.blocks = blocks
        self.readout = readout
        self.normalisation = normalisation
    }

    /// The tower with the products of its patches and its blocks' linear layers in another precision.
    public func with(_ precision: Precision) -> VisionTransformer {
        var tower = self
        tower.patchEmbedding = patchEmbedding.with(precision)
        tower.blocks = blocks.map { $0.with(precision) }
        return tower
    }

    /// Embeds images, runs every block and reads the class token.
    /// - Parameters:
    ///   - images: 8-bit RGB of the model's size, one after the other. // [batch, size, size, 3]
    ///   - workspace: holds what the pass writes.
    public func callAsFunction(_ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace) -> VisionPass {
        self(images, batch: batch, workspace, check: {})
    }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func callAsFunction(
        _ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace, check: () throws -> Void
    ) rethrows -> VisionPass {
        embed(images, batch: batch, workspace)
        return try resume(at: 0, batch: batch, workspace, check: check)
    }

    /// Runs the blocks from a layer on, the last one for the class token alone, unless something of all tokens was declared
    /// for capture there, and reads the class token.
    /// - Parameters:
    ///   - workspace: its ``VisionWorkspace/x`` is the residual stream that enters the layer.
    ///   - check: called before each block, to stop the work by an error.
    package func resume(
        at first: Int, batch: Int, _ workspace: VisionWorkspace, check: () throws -> Void
    ) rethrows -> VisionPass {
        precondition(batch <= workspace.capacity, "a batch of \(batch) in a workspace for \(workspace.capacity)")
        let (x, layout) = (workspace.x.base, layout)
        for layer in first..<blocks.count {
            try check()
            let capture = workspace.captures[layer]
            if layer == blocks.count - 1, capture?.isOfClassToken ?? true {
                blocks[layer].advanceOneToken(
                    x, at: { _ in layout.classToken }, batch: batch, tokens: tokens, mask: .none,
                    scratch: workspace.block, capture: capture)
            } else {
                blocks[layer](x, batch: batch, tokens: tokens, mask: .none, scratch: workspace.block, capture: capture)
            }
        }
        readout(
            x, at: { _ in layout.classToken }, batch: batch, tokens: tokens, normalised: workspace.pooled.base,
            mean: workspace.outputMean.base, sigma: workspace.outputSigma.base, into: workspace.embeddings.base)
        return VisionPass(workspace, batch: batch)
    }

    /// Patches times their embedding, class token, positions, ln_pre. // → workspace.x [batch · T, D]
    private func embed(_ images: UnsafePointer<UInt8>, batch: Int, _ workspace: VisionWorkspace) {
        precondition(batch <= workspace.capacity, "a batch of \(batch) in a workspace for \(workspace.capacity)")
        for image in 0..<batch {
            normalisation.patches(
                of: images + image * 3 * configuration.imageSize * configuration.imageSize,
                imageSize: configuration.imageSize, patchSize: configuration.patchSize,
                into: workspace.patches.base + image * layout.patches * patchEmbedding.inputs)
        }
        let x = workspace.x.base
        placeTokens(workspace, batch: batch, into: x)
        for image in 0..<batch {
            BLAS.add(1, positionEmbedding.elements, to: x + image * tokens * width, count: tokens * width)
        }
        inputNorm(
            x, rows: batch * tokens, into: x, mean: workspace.block.mean.base, sigma: workspace.block.sigma.base)
    }

    /// The class token's embedding and the patches times theirs, without positions.
    /// - Parameter tokens: // [batch · T, D]
    package func placeTokens(_ pass: VisionPass, into tokens: UnsafeMutablePointer<Float>) {
        placeTokens(pass.workspace, batch: pass.batch, into: tokens)
    }

    private func placeTokens(_ workspace: VisionWorkspace, batch: Int, into tokens: UnsafeMutablePointer<Float>) {
        let embedded = workspace.block.mixed.base
        patchEmbedding.multiply(workspace.patches.base, rows: batch * layout.patches, into: embedded)
        for image in 0..<batch {
            let target = tokens + image * layout.count * width
            (target + layout.classToken * width).update(from: classEmbedding, count: width)
            (target + layout.prefix * width).update(
                from: embedded + image * layout.patches * width, count: layout.patches * width)
        }
    }
}

/// A size of input that a tower cannot take.
public struct InputSizeError: Error, Equatable, Sendable {
    public var imageSize: Int
    /// A side has to be a multiple of this.
    public var patchSize: Int
    public var largest: Int

    public init(imageSize: Int, patchSize: Int, largest: Int) {
        (self.imageSize, self.patchSize, self.largest) = (imageSize, patchSize, largest)
    }

    /// The multiples of the patch on both sides of the size, as far as a tower takes them.
    public var nearest: [Int] {
        let below = min(imageSize, largest) / patchSize * patchSize
        return [below, below + patchSize].filter { $0 > 0 && $0 <= largest }
    }
}

extension VisionTransformer {
    /// The same tower for images of another size: patches keep their size, and the grid of position embeddings is
    /// resized bilinearly (without smoothing); those of other tokens stay. The receiver is left as it is, so that any
    /// number of sizes can be used by turns. Weights are shared, not copied.
    ///
    /// - Parameter imageSize: height and width of the input in pixels.
    /// - Throws: ``InputSizeError`` where patches do not fill the size.
    public func resized(to imageSize: Int) throws -> VisionTransformer {
        guard imageSize != configuration.imageSize else { return self }
        let patchSize = configuration.patchSize
        guard ArchitectureLimits.imageSize.contains(imageSize), imageSize.isMultiple(of: patchSize) else {
            throw InputSizeError(
                imageSize: imageSize, patchSize: patchSize, largest: ArchitectureLimits.imageSize.upperBound)
        }
        let old = layout
        var tower = self
        tower.configuration.imageSize = imageSize
        let taps = BilinearTap.taps(from: old.side, to: tower.layout.side)
        let grid = positionEmbedding.elements[(old.prefix * width)...]
        var positions = Array(positionEmbedding.elements[..<grid.startIndex])
        positions.reserveCapacity(tower.tokens * width)
        func value(_ row: Int, _ column: Int, _ i: Int) -> Float {
            grid[grid.startIndex + (row * old.side + column) * width + i]
        }
        for y in taps {
            for x in taps {
                for i in 0..<width {
                    positions.append(
                        y.mix(
                            x.mix(value(y.first, x.first, i), value(y.first, x.second, i)),
                            x.mix(value(y.second, x.first, i), value(y.second, x.second, i))))
                }
            }
        }
        tower.positionEmbedding = Tensor(shape: [tower.tokens, width], elements: positions)
        return tower
    }
}

/// (scale · pixel − mean)/std by channel, as a table of the 256 possible values.
public struct PixelNormalisation: Sendable {
    /// // [3, 256]
    private let table: [Float]

    /// - Precondition: three means and three positive standard deviations.
    public init(scale: Float = 1 / 255, mean: [Float], standardDeviation: [Float]) {
        precondition(mean.count == 3 && standardDeviation.count == 3)
        table = (0..<3 * 256).map { (scale * Float($0 % 256) - mean[$0 / 256]) / standardDeviation[$0 / 256] }
    }

    /// Cuts an image into normalised patches, channel first inside a patch as the convolution's weight is.
    /// - Parameters:
    ///   - image: // [size, size, 3]
    ///   - out: // [patches, 3 · patch · patch]
    package func patches(
        of image: UnsafePointer<UInt8>, imageSize: Int, patchSize: Int, into out: UnsafeMutablePointer<Float>
    ) {
        let side = imageSize / patchSize
        let area = patchSize * patchSize
        table.withUnsafeBufferPointer { table in
            for y in 0..<side * patchSize {
                for x in 0..<side * patchSize {
                    let patch = (y / patchSize) * side + x / patchSize
                    let offset = patch * 3 * area + (y % patchSize) * patchSize + x % patchSize
                    let pixel = image + (y * imageSize + x) * 3
                    for channel in 0..<3 {
                        out[offset + channel * area] = table[channel * 256 + Int(pixel[channel])]
                    }
                }
            }
        }
    }
}
