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
    /// u_{n,k}. // [N, K · d_h]
    public let neuronValues: Tensor
    /// output_k. // [K · d_h, d]
    public let outputs: Tensor
    /// input_k. // [K · d_h, D]
    public let inputs: Tensor
    let biasShare: BiasShare

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
        let rows = headCount * headWidth
        inputs = Tensor(
            shape: [rows, vision.width], elements: Array(paths.inputs.elements[(firstHead * headWidth * vision.width)...]))
        outputs = Tensor(
            shape: [rows, embeddingWidth],
            elements: Array(paths.outputs.elements[(firstHead * headWidth * embeddingWidth)...]))
        neuronValues = vision.blocks[layer].mlpOutput.weight.transposed().times(inputs, transposed: true)
        biasShare = BiasShare(layer: layer, paths: paths, vision: vision)
    }

    /// M_n of some neurons. // [neurons, K, d]
    public func headDirections(_ range: Range<Int>) -> Tensor {
        var directions = Tensor(zeros: [range.count, headCount, embeddingWidth])
        let stride = headCount * headWidth
        neuronValues.elements.withUnsafeBufferPointer { values in
            outputs.elements.withUnsafeBufferPointer { outputs in
                directions.elements.withUnsafeMutableBufferPointer { directions in
                    guard let values = values.baseAddress, let outputs = outputs.baseAddress,
                        let directions = directions.baseAddress
                    else { return }
                    for k in 0..<headCount {
                        BLAS.multiply(
                            range.count, embeddingWidth, headWidth,
                            values + range.lowerBound * stride + k * headWidth, stride: stride,
                            outputs + k * headWidth * embeddingWidth, stride: embeddingWidth,
                            into: directions + k * embeddingWidth, stride: headCount * embeddingWidth)
                    }
                }
            }
        }
        return directions
    }

    /// Upper factors R_n with R_nᵀ R_n = M_n M_nᵀ, so that ‖Σ_k s_k M_{n,k}‖ = ‖R_n s‖, each a
    /// `PackedTriangle`. // [N, packed]
    /// - Throws: ``LensError/factorisation(layer:neuron:_:)`` when the weights are not finite.
    public func choleskyFactors() throws -> Tensor {
        let K = headCount
        let packed = PackedTriangle.count(K)
        var factors = Tensor(zeros: [neurons, packed])
        var gram = [Float](repeating: 0, count: K * K)
        var factor = [Float](repeating: 0, count: K * K)
        let chunk = max(1, min(64, (16 << 20) / (K * embeddingWidth * 4)))
        for start in stride(from: 0, to: neurons, by: chunk) {
            let range = start..<min(start + chunk, neurons)
            let directions = headDirections(range)
            for n in range {
                directions.elements.withUnsafeBufferPointer { directions in
                    guard let base = directions.baseAddress else { return }
                    let M = base + (n - start) * K * embeddingWidth
                    BLAS.multiply(
                        K, K, embeddingWidth, M, stride: embeddingWidth, M, stride: embeddingWidth, otherTransposed: true,
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
