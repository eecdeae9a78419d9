import CLIPModel
import DenseMath

/// The identities on which every number of the lens rests, measured on real images.
public struct DecompositionCheck: Sendable, Equatable {
    /// Largest relative error of: embedding of the patches' class token + every head's direct effect +
    /// every MLP's direct effect + biases = r(I), with ln_post held fixed.
    public let directTerms: Float
    /// Largest relative error, by layer, of: Σ_n φ_n summed neuron by neuron = the MLP's output pushed
    /// through the value/output paths as a whole.
    public let neuronSums: [Int: Float]

    /// - Parameter images: 8-bit RGB of the model's size. // [count, size, size, 3]
    public init(_ vision: VisionTransformer, lenses: [SecondOrderLens], images: UnsafePointer<UInt8>, count: Int) {
        let pass = EffectWorkspace(vision, layers: lenses.map(\.layer), capacity: count).run(images, batch: count)
        neuronSums = lenses.reduce(into: [:]) { $0[$1.layer] = Self.neuronSumError($1, pass) }
        directTerms = Self.directTermError(vision, images, count: count)
    }

    private static func neuronSumError(_ lens: SecondOrderLens, _ pass: EffectPass) -> Float {
        let (batch, d, K) = (pass.batch, lens.embeddingWidth, lens.headCount)
        let s = FloatBuffer(lens.neurons * batch * K)
        let (b, total) = (FloatBuffer(batch * d), FloatBuffer(batch * d))
        pass.coordinates(lens, into: s.base)
        pass.biasShares(lens, into: b.base)
        pass.totalEffects(lens, biasShares: b.base, into: total.base)
        var sums = [Double](repeating: 0, count: batch * d)
        for start in stride(from: 0, to: lens.neurons, by: lens.directionsTogether) {
            let range = start..<min(start + lens.directionsTogether, lens.neurons)
            lens.headDirections(range).elements.withUnsafeBufferPointer { M in
                guard let M = M.baseAddress else { return }
                for n in range {
                    var effects = Array(UnsafeBufferPointer(start: b.base, count: batch * d))
                    BLAS.multiply(
                        batch, d, K, s.base + n * batch * K, stride: K, M + (n - start) * K * d, stride: d, beta: 1,
                        into: &effects, stride: d)
                    for i in effects.indices { sums[i] += Double(effects[i]) }
                }
            }
        }
        return (0..<batch).map { relativeError(of: total.base + $0 * d, to: sums[$0 * d..<($0 + 1) * d]) }
            .largestMagnitude()
    }

    /// Follows the class token's residual stream term by term from what the pass captured.
    private static func directTermError(_ vision: VisionTransformer, _ images: UnsafePointer<UInt8>, count: Int)
        -> Float
    {
        let workspace = VisionWorkspace(
            vision, capacity: count,
            capturing: [CaptureRequest](
                repeating: .classToken.union([.activations, .attentionInput]), count: vision.blocks.count))
        let pass = vision(images, batch: count, workspace)
        let (T, D, d) = (vision.tokens, vision.width, vision.embeddingWidth)
        let errors = (0..<count).map { image -> Float in
            let row = vision.layout.classRow(of: image)
            // The first layer's input at the class token holds no term of any layer yet.
            var residual = (0..<D).map { Double(pass.capture(0)[.attentionInput][row * D + $0]) }
            for (layer, block) in vision.blocks.enumerated() {
                let capture = pass.capture(layer)
                for (i, value) in attentionTerms(block, capture, image: image, tokens: T).enumerated() {
                    residual[i] += value
                }
                let p = Tensor(
                    shape: [1, block.neurons],
                    elements: Array(
                        UnsafeBufferPointer(
                            start: capture[.activations] + row * block.neurons, count: block.neurons)))
                let mlp = p.times(block.mlpOutput.weight, transposed: true).elements
                for i in 0..<D { residual[i] += Double(mlp[i] + block.mlpOutput.bias[i]) }
            }
            let (mean, sigma) = (Double(pass.outputMean[image]), Double(pass.outputSigma[image]))
            let normalised = (0..<D).map {
                Float(
                    (residual[$0] - mean) / sigma * Double(vision.readout.norm.weight[$0])
                        + Double(vision.readout.norm.bias[$0]))
            }
            let r = Tensor(shape: [1, D], elements: normalised).times(vision.readout.projection, transposed: true)
                .elements
            return relativeError(of: pass.embeddings + image * d, to: r.map(Double.init)[...])
        }
        return errors.largestMagnitude()
    }

    /// Σ_h W_O^h Σ_i a_i (W_V^h ln_1(x_i) + b_V^h) + b_O at the class token. // [D]
    private static func attentionTerms(
        _ block: TransformerBlock, _ capture: LayerCapture, image: Int, tokens: Int
    ) -> [Double] {
        let (D, width) = (block.width, block.headWidth)
        let (x, mean, sigma) = (capture[.attentionInput], capture[.attentionMean], capture[.attentionSigma])
        var mixed = Tensor(zeros: [1, D])
        for head in 0..<block.heads {
            let a = capture[.classAttention] + (image * block.heads + head) * tokens
            // Attention sums to one, so the value map may come after the mixing of tokens.
            var token = Tensor(zeros: [1, D])
            for i in 0..<tokens {
                let row = image * tokens + i
                for j in 0..<D {
                    let normalised = (x[row * D + j] - mean[row]) / sigma[row]
                    token.elements[j] +=
                        a[i] * (normalised * block.attentionNorm.weight[j] + block.attentionNorm.bias[j])
                }
            }
            let rows = 2 * D + head * width..<2 * D + (head + 1) * width
            let value = Tensor(
                shape: [width, D],
                elements: Array(block.queryKeyValue.weight.elements[rows.lowerBound * D..<rows.upperBound * D]))
            let attended = token.times(value, transposed: true).elements
            for e in 0..<width {
                mixed.elements[head * width + e] = attended[e] + block.queryKeyValue.bias[rows.lowerBound + e]
            }
        }
        let out = mixed.times(block.attentionOutput.weight, transposed: true).elements
        return (0..<D).map { Double(out[$0] + block.attentionOutput.bias[$0]) }
    }

    private static func relativeError(of found: UnsafePointer<Float>, to expected: ArraySlice<Double>) -> Float {
        var (difference, length) = (0.0, 0.0)
        for (i, value) in expected.enumerated() {
            difference += (Double(found[i]) - value) * (Double(found[i]) - value)
            length += value * value
        }
        return Float((difference / max(length, .leastNormalMagnitude)).squareRoot())
    }
}
