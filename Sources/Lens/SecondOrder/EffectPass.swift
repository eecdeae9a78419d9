import CLIPModel
import DenseMath

/// A forward pass of the image tower and what the lens reads from it: the image-dependent half of equation (3), for all
/// layers at once. Holds until its workspace runs again.
public struct EffectPass {
    private let pass: VisionPass
    private let workspace: EffectWorkspace

    fileprivate init(_ pass: VisionPass, _ workspace: EffectWorkspace) {
        (self.pass, self.workspace) = (pass, workspace)
    }

    /// Length that representations are scaled to, as the papers do.
    public static let representationLength: Float = 100

    public var vision: VisionTransformer { workspace.vision }
    public var batch: Int { pass.batch }
    /// c(I)·r(I), the representation scaled to length 100. // [batch, d]
    public var representations: UnsafePointer<Float> { UnsafePointer(workspace.representations.base) }
    /// c(I)/σ* · a_i^k/σ_i, all heads of all layers. // [batch · T, L · H]
    private var attentionWeights: UnsafePointer<Float> { UnsafePointer(workspace.attentionWeights.base) }
    private var headCount: Int { workspace.headCount }

    /// What was kept of a layer whose neurons are looked at.
    public func capture(_ layer: Int) -> LayerCapture { pass.capture(layer) }

    /// c·r with c = 100/‖r‖. // [d]
    /// - Returns: c.
    @discardableResult
    static func scale(_ r: UnsafePointer<Float>, count d: Int, into out: UnsafeMutablePointer<Float>) -> Float {
        let c = representationLength / BLAS.dot(r, r, count: d).squareRoot()
        for j in 0..<d { out[j] = c * r[j] }
        return c
    }

    /// s_{n,k} of every neuron of a layer and every image of the batch. // [N, batch, K]
    public func coordinates(_ lens: SecondOrderLens, into s: UnsafeMutablePointer<Float>) {
        coordinates(lens, of: 0..<lens.neurons, into: s)
    }

    /// The same for some of the neurons; those of others stay as they are. // [N, batch, K]
    func coordinates(_ lens: SecondOrderLens, of neurons: Range<Int>, into s: UnsafeMutablePointer<Float>) {
        let (tokens, K) = (vision.tokens, lens.headCount)
        let activations = capture(lens.layer)[.activations] + neurons.lowerBound
        for image in 0..<batch {
            BLAS.multiply(
                neurons.count, K, tokens, activations + image * tokens * lens.neurons, stride: lens.neurons,
                transposed: true, attentionWeights + image * tokens * headCount + lens.firstHead, stride: headCount,
                into: s + (neurons.lowerBound * batch + image) * K, stride: batch * K)
        }
    }

    /// s_{n,k} of one neuron and every image of the batch. // [batch, K]
    func coordinates(_ lens: SecondOrderLens, ofNeuron n: Int, into s: UnsafeMutablePointer<Float>) {
        // Others would stand before it.
        coordinates(lens, of: n..<n + 1, into: s - n * batch * lens.headCount)
    }

    /// Adds Σ_I s_{n,k}(I) over the batch: the images' tokens form one long product. // [N, K]
    public func addCoordinateSums(_ lens: SecondOrderLens, to sums: UnsafeMutablePointer<Float>) {
        BLAS.multiply(
            lens.neurons, lens.headCount, batch * vision.tokens, capture(lens.layer)[.activations],
            stride: lens.neurons, transposed: true, attentionWeights + lens.firstHead, stride: headCount, beta: 1,
            into: sums, stride: lens.headCount)
    }

    /// b(I). // [batch, d]
    public func biasShares(_ lens: SecondOrderLens, into b: UnsafeMutablePointer<Float>) {
        let K = lens.headCount
        let columns = 2 * K + 3
        for image in 0..<batch {
            let row = workspace.coefficients.base + image * columns
            row.update(from: workspace.alpha.base + image * headCount + lens.firstHead, count: K)
            (row + K).update(from: workspace.kappa.base + image * headCount + lens.firstHead, count: K)
            row[2 * K] = workspace.scales.base[image * 3 + 1]
            row[2 * K + 1] = workspace.scales.base[image * 3 + 2]
            row[2 * K + 2] = workspace.scales.base[image * 3]
        }
        BLAS.multiply(
            batch, lens.embeddingWidth, columns, workspace.coefficients.base, stride: columns,
            lens.biasShare.directions.elements, stride: lens.embeddingWidth, into: b, stride: lens.embeddingWidth)
    }

    /// Σ_n φ_n(I) over all neurons of the layer, without any work for a single neuron: the MLP's output
    /// goes through the value/output paths with the attention held fixed. // [batch, d]
    /// - Parameter biasShares: b(I) of the same layer and batch.
    public func totalEffects(
        _ lens: SecondOrderLens, biasShares: UnsafePointer<Float>, into total: UnsafeMutablePointer<Float>
    ) {
        mixOutputs(lens, into: workspace.mixed.base, rows: batch)
        lens.carry(workspace.mixed.base, rows: batch, scratch: workspace.values.base, into: total)
        BLAS.add(Float(lens.neurons), biasShares, to: total, count: batch * lens.embeddingWidth)
    }

    /// What the MLP's output brings to each head: Σ_i of it, weighted by the head's attention. // [K, rows, D]
    /// - Parameter rows: of which the first are the batch's.
    func mixOutputs(_ lens: SecondOrderLens, into mixed: UnsafeMutablePointer<Float>, rows: Int) {
        let (tokens, width, K) = (vision.tokens, vision.width, lens.headCount)
        let outputs = capture(lens.layer)[.mlpOutput]
        for image in 0..<batch {
            BLAS.multiply(
                K, width, tokens, attentionWeights + image * tokens * headCount + lens.firstHead,
                stride: headCount, transposed: true, outputs + image * tokens * width, stride: width,
                into: mixed + image * width, stride: rows * width)
        }
    }
}

/// Runs the image tower and holds what ``EffectPass`` reads. Belongs to one worker.
public final class EffectWorkspace {
    public let vision: VisionTransformer
    private let workspace: VisionWorkspace
    private let layersWithAttention: Range<Int>
    fileprivate let representations: FloatBuffer
    fileprivate let attentionWeights: FloatBuffer
    /// c/σ* α_k, all heads of all layers. // [batch, L · H]
    fileprivate let alpha: FloatBuffer
    /// −c/σ* κ_k. // [batch, L · H]
    fileprivate let kappa: FloatBuffer
    /// c, c/σ*, −c μ*/σ*. // [batch, 3]
    fileprivate let scales: FloatBuffer
    /// Scratch.
    fileprivate let mixed, values, coefficients: FloatBuffer
    fileprivate let headCount: Int

    /// The largest batch that fits.
    public var capacity: Int { workspace.capacity }

    /// - Parameters:
    ///   - layers: the layers whose neurons are looked at, each with a later attention layer.
    ///   - extra: what else to keep of those layers.
    public init(_ vision: VisionTransformer, layers: [Int], capacity: Int, capturing extra: CaptureRequest = []) {
        self.vision = vision
        let first = layers.min() ?? vision.blocks.count
        layersWithAttention = min(first + 1, vision.blocks.count)..<vision.blocks.count
        let requests = vision.blocks.indices.map { layer -> CaptureRequest in
            let attention: CaptureRequest = layer > first ? .classToken : []
            return layers.contains(layer) ? attention.union(extra).union([.activations, .mlpOutput]) : attention
        }
        workspace = VisionWorkspace(vision, capacity: capacity, capturing: requests)
        headCount = vision.blocks.count * vision.configuration.heads
        representations = FloatBuffer(capacity * vision.embeddingWidth)
        attentionWeights = FloatBuffer(capacity * vision.tokens * headCount)
        alpha = FloatBuffer(capacity * headCount)
        kappa = FloatBuffer(capacity * headCount)
        scales = FloatBuffer(capacity * 3)
        let reachable = layersWithAttention.count * vision.configuration.heads
        mixed = FloatBuffer(capacity * reachable * vision.width)
        values = FloatBuffer(capacity * (vision.width + vision.width / vision.configuration.heads))
        coefficients = FloatBuffer(capacity * (2 * reachable + 3))
    }

    /// Runs the tower. // [batch, size, size, 3]
    public func run(_ images: UnsafePointer<UInt8>, batch: Int) -> EffectPass { run(images, batch: batch, check: {}) }

    /// The same.
    /// - Parameter check: called before each block, to stop the work by an error.
    public func run(
        _ images: UnsafePointer<UInt8>, batch: Int, check: () throws -> Void
    ) rethrows -> EffectPass {
        let pass = try vision(images, batch: batch, workspace, check: check)
        scaleRepresentations(pass)
        gatherAttention(pass)
        return EffectPass(pass, self)
    }

    private func scaleRepresentations(_ pass: VisionPass) {
        let d = vision.embeddingWidth
        for image in 0..<pass.batch {
            let c = EffectPass.scale(pass.embeddings + image * d, count: d, into: representations.base + image * d)
            let sigma = pass.outputSigma[image]
            scales.base[image * 3] = c
            scales.base[image * 3 + 1] = c / sigma
            scales.base[image * 3 + 2] = -c * pass.outputMean[image] / sigma
        }
    }

    private func gatherAttention(_ pass: VisionPass) {
        let (tokens, heads) = (vision.tokens, vision.configuration.heads)
        for layer in layersWithAttention {
            let capture = pass.capture(layer)
            for image in 0..<pass.batch {
                let scale = scales.base[image * 3 + 1]
                let sigma = capture[.attentionSigma] + image * tokens
                let mean = capture[.attentionMean] + image * tokens
                for head in 0..<heads {
                    let row = capture[.classAttention] + (image * heads + head) * tokens
                    let column = layer * heads + head
                    var (alpha, kappa) = (Float(0), Float(0))
                    for token in 0..<tokens {
                        let weight = scale * row[token] / sigma[token]
                        attentionWeights.base[(image * tokens + token) * headCount + column] = weight
                        alpha += weight
                        kappa += weight * mean[token]
                    }
                    self.alpha.base[image * headCount + column] = alpha
                    self.kappa.base[image * headCount + column] = -kappa
                }
            }
        }
    }
}

/// Memory for the head coordinates of one layer's neurons on one batch, and for what is made of them.
///
/// Layers take turns with it: their coordinates together would take gigabytes for a large model, and each
/// layer's are read before the next's are evaluated. Belongs to one worker.
public final class EffectScratch {
    /// Neurons whose products are evaluated together.
    static let chunk = 64

    /// Coordinates of the neurons that are looked at together: 2 MiB.
    var coordinatesTogether = 1 << 19
    /// Images that fit.
    let capacity: Int
    private let neurons, headCount: Int
    /// The layer whose effects stand here.
    var layer: Int?

    /// δs. // [N, batch, K]
    let coordinates: FloatBuffer
    /// δb. // [batch, d]
    let biasShares: FloatBuffer
    /// b. // [batch, d]
    let rawBiasShares: FloatBuffer
    /// ‖φ_n − φ̄_n‖. // [N, batch]
    let norms: FloatBuffer
    /// ‖R_n δs‖. // [N, batch]
    let coordinateNorms: FloatBuffer
    /// ‖δb‖. // [batch]
    let biasNorms: FloatBuffer
    /// δb of images whose norms are evaluated. // [batch, d]
    let chosenBiasShares: FloatBuffer
    /// output_k δb of the same images. // [batch, K · d_h]
    let reads: FloatBuffer
    /// δs of some neurons for one image. // [chunk, K]
    let chosenCoordinates: FloatBuffer
    /// Σ_k δs_k input_kᵀ output_k δb of the same, or their w^n. // [chunk, D]
    let chosenQueries: FloatBuffer
    /// What is brought to the heads, by the whole MLP and by two sets of neurons: Σ_n δs_{n,k} w^n. // [K, 3 · batch, D]
    ///
    /// Before that, input_kᵀ output_k δb of the images whose norms are evaluated. // [batch, K, D]
    let mixed: FloatBuffer
    /// What a layer's heads, and one head, read of what is brought. // [3 · batch, D + d_h]
    let values: FloatBuffer
    /// What all heads carry of it. // [3 · batch, d]
    let carried: FloatBuffer

    /// - Parameter lenses: of one model, each of which the memory will fit.
    public init(_ lenses: [SecondOrderLens], capacity: Int) {
        func largest(_ size: (SecondOrderLens) -> Int) -> Int { lenses.map(size).max() ?? 0 }
        let (N, K, D) = (largest(\.neurons), largest(\.headCount), largest(\.width))
        let (d, columns) = (largest(\.embeddingWidth), largest { $0.headCount * $0.headWidth })
        self.capacity = capacity
        (neurons, headCount) = (N, K)
        coordinates = FloatBuffer(N * capacity * K)
        biasShares = FloatBuffer(capacity * d)
        rawBiasShares = FloatBuffer(capacity * d)
        norms = FloatBuffer(N * capacity)
        coordinateNorms = FloatBuffer(N * capacity)
        biasNorms = FloatBuffer(capacity)
        chosenBiasShares = FloatBuffer(capacity * d)
        chosenCoordinates = FloatBuffer(Self.chunk * K)
        chosenQueries = FloatBuffer(Self.chunk * D)
        reads = FloatBuffer(capacity * columns)
        mixed = FloatBuffer(3 * capacity * K * D)
        values = FloatBuffer(3 * capacity * (D + largest(\.headWidth)))
        carried = FloatBuffer(3 * capacity * d)
    }

    func fits(_ lens: SecondOrderLens) -> Bool { lens.neurons <= neurons && lens.headCount <= headCount }
}
