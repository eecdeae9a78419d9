import CLIPModel

/// Operations of the image tower and of the second-order lens: 2·m·n·k for a matrix product, in the notation
/// of the lens.
///
/// Element-wise work is not counted: a measured speed of blocks that contain it makes up for it.
struct LensOperations: Equatable {
    private let L, H, T, D, N, headWidth, d, patch, patches: Double
    /// Operations of one block for an image.
    let block: Double
    /// Operations of the last block for an image: only what the class token needs is computed.
    let lastBlock: Double

    /// Neurons above their threshold on an image, of all: 100 of 5000 images keep each neuron.
    private static let significant = 0.02

    /// How many operations of a block an operation on a small symmetric matrix in double precision is worth; measured.
    private static let eigenvectorSlowness = 30.0

    init(_ vision: VisionConfiguration, embeddingWidth: Int) {
        (L, H, T) = (Double(vision.layers), Double(vision.heads), Double(vision.tokens))
        (D, N, headWidth) = (Double(vision.width), Double(vision.mlpWidth), Double(vision.headWidth))
        (d, patch, patches) = (Double(embeddingWidth), Double(vision.patchSize), Double(vision.layout.patches))
        let work = TransformerWork(vision, batch: 1)
        (block, lastBlock) = (work.operations, work.lastBlockOperations)
    }

    /// K: heads that read a layer.
    private func readers(_ layer: Int) -> Double { (L - 1 - Double(layer)) * H }

    // MARK: For one image

    /// The image tower.
    var forward: Double {
        2 * patches * D * Double(VisionConfiguration.channels) * patch * patch + (L - 1) * block + lastBlock + 2 * D * d
    }

    /// `EffectSums.add`: coordinates summed, bias share, total effect.
    func sums(_ layer: Int) -> Double { coordinates(layer) + biasShare(layer) + total(layer) }

    /// `CentredEffects.run`: coordinates, bias share, products with the factors.
    func centred(_ layer: Int) -> Double {
        let K = readers(layer)
        return coordinates(layer) + biasShare(layer) + N * K * (K + 1)
    }

    /// `CentredBatch.norms` of a share of the neurons: the bias share pulled back, cross terms.
    func norms(_ layer: Int, share: Double = 2 * significant) -> Double {
        throughHeads(readers(layer)) + 2 * share * N * (readers(layer) + 1) * D
    }

    /// `EffectReconstruction.run`.
    func projections(_ layer: Int) -> Double { 2 * N * (readers(layer) + 2 * d) }

    /// `MeanAblation.run`: the sums over chosen neurons are made twice.
    func ablation(_ layer: Int) -> Double {
        let K = readers(layer)
        return centred(layer) + total(layer) + projections(layer)
            + 2 * (2 * Self.significant * N * K * D + throughHeads(K))
    }

    /// `IndirectAblation.update`: the blocks behind the layer once more.
    func indirect(_ layer: Int) -> Double {
        (L - 2 - Double(layer)) * block + lastBlock + 2 * D * d
    }

    private func coordinates(_ layer: Int) -> Double { 2 * N * T * readers(layer) }

    private func biasShare(_ layer: Int) -> Double { 2 * (2 * readers(layer) + 3) * d }

    func total(_ layer: Int) -> Double { 2 * readers(layer) * T * D + throughHeads(readers(layer)) }

    /// Once through input_k and output_k of K heads, in either direction.
    private func throughHeads(_ K: Double) -> Double { 2 * K * headWidth * (D + d) }

    // MARK: For a layer's neurons, once

    /// `SecondOrderLens.choleskyFactors`: M_n, its Gram matrix, the factor.
    func factors(_ layer: Int) -> Double {
        let K = readers(layer)
        return headDirections(layer) + N * (2 * K * K * d + K * K * K / 3)
    }

    /// `DirectionReadings`.
    func readings(_ layer: Int) -> Double { headDirections(layer) + 2 * N * readers(layer) * d }

    /// `PrincipalDirections`: effects of C images, their Gram matrix, its tridiagonal form in double precision.
    func directions(_ layer: Int, images C: Double) -> Double {
        headDirections(layer) + N
            * (2 * C * readers(layer) * d + 2 * C * C * d + Self.eigenvectorSlowness * 4 / 3 * C * C * C)
    }

    /// `DecompositionCheck`: M_n, and the effects of some images.
    func neuronSums(_ layer: Int, images: Double) -> Double {
        headDirections(layer) + 2 * images * N * readers(layer) * d
    }

    private func headDirections(_ layer: Int) -> Double { N * throughHeads(readers(layer)) }
}

extension TransformerWork {
    init(_ vision: VisionConfiguration, batch: Int) {
        self.init(
            width: vision.width, heads: vision.heads, neurons: vision.mlpWidth, tokens: vision.tokens, batch: batch,
            activation: vision.activation)
    }
}
