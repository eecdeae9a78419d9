import CLIPModel
import DenseMath

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
