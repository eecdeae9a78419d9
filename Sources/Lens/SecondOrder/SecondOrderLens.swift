import CLIPModel
import DenseMath

/// What can be wrong with a request to the lens. Facts only.
public enum LensError: Error, Equatable, Sendable {
    /// The layer has no later attention layer, so its neurons have no second-order effect.
    case noLaterAttention(layer: Int, layers: Int)
    case factorisation(layer: Int, neuron: Int, FactorisationError)
}

/// The image-independent half of the second-order effects of one layer's neurons, equation (3):
///
///     φ_n(I) = Σ_k s_{n,k}(I) M_{n,k} + b(I),     M_{n,k} = output_kᵀ u_{n,k},     u_{n,k} = input_k w^n
///
/// k runs over the K heads of later layers. Source: arXiv 2406.04341, equations 3–11.
public struct SecondOrderLens: Sendable {
    public let layer: Int
    public let neurons: Int
    /// Number K of heads that read this layer.
    public let headCount: Int
    /// Index of the first of those heads among all heads of all layers.
    public let firstHead: Int
    public let headWidth: Int
    public let embeddingWidth: Int
    public let width: Int
    /// w^n, the neurons' columns of the MLP's output matrix. // [N, D]
    let neuronOutputs: Tensor
    let biasShare: BiasShare
    /// Of all layers' heads, whose numbers all lenses of a model share.
    private let paths: ValueOutputPaths

    /// - Throws: ``LensError/noLaterAttention(layer:layers:)``.
    public init(layer: Int, paths: ValueOutputPaths, vision: VisionTransformer) throws {
        guard layer >= 0, layer < paths.layers - 1 else {
            throw LensError.noLaterAttention(layer: layer, layers: paths.layers)
        }
        self.layer = layer
        neurons = vision.blocks[layer].neurons
        firstHead = (layer + 1) * paths.heads
        headCount = paths.headCount - firstHead
        headWidth = paths.headWidth
        embeddingWidth = vision.embeddingWidth
        width = vision.width
        self.paths = paths
        neuronOutputs = vision.blocks[layer].mlpOutput.weight.transposed()
        biasShare = BiasShare(layer: layer, paths: paths, vision: vision)
    }

    /// u_{n,k} of some neurons, in their order. Made when asked for: those of all neurons of a large model take gigabytes.
    /// // [neurons, K · d_h]
    func neuronValues(_ neurons: some Collection<Int>) -> Tensor {
        let columns = headCount * headWidth
        var values = Tensor(zeros: [neurons.count, columns])
        let outputs = neurons.flatMap { neuronOutputs[row: $0] }
        withInputs { inputs in
            BLAS.multiply(
                neurons.count, columns, width, outputs, stride: width, inputs, stride: width, otherTransposed: true,
                into: &values.elements, stride: columns)
        }
        return values
    }

    /// Neurons whose M_n are made together: enough for products of a good size, in 128 MiB at most.
    var directionsTogether: Int { max(1, min(64, (128 << 20) / (headCount * embeddingWidth * 4))) }

    /// M_n of some neurons, in their order. // [neurons, K, d]
    public func headDirections(_ neurons: some Collection<Int>) -> Tensor {
        var directions = Tensor(zeros: [neurons.count, headCount, embeddingWidth])
        let stride = headCount * headWidth
        let values = neuronValues(neurons)
        withOutputs { outputs in
            values.elements.withUnsafeBufferPointer { values in
                directions.elements.withUnsafeMutableBufferPointer { directions in
                    guard let values = values.baseAddress, let directions = directions.baseAddress else { return }
                    for k in 0..<headCount {
                        BLAS.multiply(
                            neurons.count, embeddingWidth, headWidth, values + k * headWidth, stride: stride,
                            outputs + k * headWidth * embeddingWidth, stride: embeddingWidth,
                            into: directions + k * embeddingWidth, stride: headCount * embeddingWidth)
                    }
                }
            }
        }
        return directions
    }

    /// Σ_k output_kᵀ input_k x_k, what the heads carry into the joint space. // [K, rows, D] → [rows, d]
    /// - Parameter scratch: // [rows, D + d_h]
    func carry(
        _ x: UnsafePointer<Float>, rows: Int, scratch: UnsafeMutablePointer<Float>,
        into sums: UnsafeMutablePointer<Float>
    ) {
        paths.carry(x, from: firstHead / paths.heads, rows: rows, scratch: scratch, into: sums)
    }

    /// input_kᵀ output_k v of every head, so that ⟨M_{n,k}, v⟩ = ⟨input_kᵀ output_k v, w^n⟩. // [images, d] → [images, K, D]
    /// - Parameter scratch: // [images, K · d_h]
    func pullBack(
        _ vectors: UnsafePointer<Float>, images: Int, scratch: UnsafeMutablePointer<Float>,
        into queries: UnsafeMutablePointer<Float>
    ) {
        let columns = headCount * headWidth
        withOutputs { outputs in
            BLAS.multiply(
                images, columns, embeddingWidth, vectors, stride: embeddingWidth, outputs, stride: embeddingWidth,
                otherTransposed: true, into: scratch, stride: columns)
        }
        withInputs { inputs in
            for k in 0..<headCount {
                BLAS.multiply(
                    images, width, headWidth, scratch + k * headWidth, stride: columns, inputs + k * headWidth * width,
                    stride: width, into: queries + k * width, stride: headCount * width)
            }
        }
    }

    /// input_k of the layer's heads. // [K · d_h, D]
    private func withInputs(_ body: (UnsafePointer<Float>) -> Void) {
        paths.inputs.withRow(firstHead, body)
    }

    /// output_k of the layer's heads. // [K · d_h, d]
    private func withOutputs(_ body: (UnsafePointer<Float>) -> Void) {
        paths.outputs.withRow(firstHead, body)
    }

    /// Upper factors R_n with R_nᵀ R_n = M_n M_nᵀ, so that ‖Σ_k s_k M_{n,k}‖ = ‖R_n s‖, each a
    /// `PackedTriangle`. // [N, packed]
    /// - Parameter check: called now and then, to stop the work by an error.
    /// - Throws: ``LensError/factorisation(layer:neuron:_:)`` when the weights are not finite, and what `check` throws.
    public func choleskyFactors(check: () throws -> Void = {}) throws -> Tensor {
        let K = headCount
        let packed = PackedTriangle.count(K)
        var factors = Tensor(zeros: [neurons, packed])
        var gram = [Float](repeating: 0, count: K * K)
        var factor = [Float](repeating: 0, count: K * K)
        let chunk = directionsTogether
        for start in stride(from: 0, to: neurons, by: chunk) {
            try check()
            let range = start..<min(start + chunk, neurons)
            let directions = headDirections(range)
            for n in range {
                directions.elements.withUnsafeBufferPointer { directions in
                    guard let base = directions.baseAddress else { return }
                    let M = base + (n - start) * K * embeddingWidth
                    BLAS.multiply(
                        K, K, embeddingWidth, M, stride: embeddingWidth, M, stride: embeddingWidth,
                        otherTransposed: true,
                        into: &gram, stride: K)
                }
                do {
                    try Factorisations.cholesky(gram, count: K, into: &factor)
                } catch let error as FactorisationError {
                    throw LensError.factorisation(layer: layer, neuron: n, error)
                }
                factors.elements.withUnsafeMutableBufferPointer { factors in
                    guard let base = factors.baseAddress else { return }
                    PackedTriangle.pack(factor, count: K, into: base + n * packed)
                }
            }
        }
        return factors
    }
}

/// b(I): each neuron's equal share of the biases and means that later layers add, equation (2).
///
/// As a linear map of what an image contributes: with α_k = Σ_i a_i/σ_i and κ_k = Σ_i a_i μ_i/σ_i,
///
///     b(I) = [c/σ* α, −c/σ* κ, c/σ*, −c μ*/σ*, c] · directions          2K+3 numbers times [2K+3, d]
struct BiasShare: Sendable {
    /// // [2K + 3, d]
    let directions: Tensor

    init(layer: Int, paths: ValueOutputPaths, vision: VisionTransformer) {
        let block = vision.blocks[layer]
        let (width, headWidth, heads) = (vision.width, paths.headWidth, paths.heads)
        let d = vision.embeddingWidth
        let neurons = Float(block.neurons)
        let reachable = (layer + 1) * heads..<paths.headCount
        var directions = Tensor(zeros: [2 * reachable.count + 3, d])
        /// directions[row] += scale · output_kᵀ v, v of the head's width.
        func add(_ v: [Float], head: Int, scale: Float, row: Int) {
            for i in 0..<headWidth {
                let factor = scale * v[i]
                for j in 0..<d {
                    directions.elements[row * d + j] += factor * paths.outputs.elements[(head * headWidth + i) * d + j]
                }
            }
        }
        for (k, head) in reachable.enumerated() {
            let readLayer = head / heads
            let reader = vision.blocks[readLayer]
            // C1 = (1 + 2l')·N and C2 = (1 + 2l')·(1 + 2L)·H·N: how many terms share a bias.
            let c1 = Float(1 + 2 * readLayer) * neurons
            let c2 = c1 * Float((1 + 2 * paths.layers) * heads)
            /// W_V^k diag(γ) v, without or with a vector that replaces γ ∘ v.
            func value(_ v: [Float], scaled: Bool = true) -> [Float] {
                (0..<headWidth).map { i in
                    let row =
                        scaled
                        ? paths.inputs.elements[((head * headWidth + i) * width)...].prefix(width)
                        : reader.queryKeyValue.weight.elements[((2 * width + head % heads * headWidth + i) * width)...]
                            .prefix(width)
                    return zip(row, v).reduce(0) { $0 + $1.0 * $1.1 }
                }
            }
            add(value(block.mlpOutput.bias), head: head, scale: 1 / neurons, row: k)
            add(value([Float](repeating: 1, count: width)), head: head, scale: 1 / c1, row: reachable.count + k)
            let constant = 2 * reachable.count
            add(value(reader.attentionNorm.bias, scaled: false), head: head, scale: 1 / c1, row: constant)
            let valueBias = reader.queryKeyValue.bias[(2 * width + head % heads * headWidth)...].prefix(headWidth)
            add(Array(valueBias), head: head, scale: 1 / c1, row: constant)
            for j in 0..<d {
                directions.elements[constant * d + j] +=
                    paths.outputBiases.elements[readLayer * d + j] / (c1 * Float(heads))
                directions.elements[(constant + 1) * d + j] += paths.scaleImage[j] / c2
                directions.elements[(constant + 2) * d + j] += paths.offsetImage[j] / c2
            }
        }
        self.directions = directions
    }
}
