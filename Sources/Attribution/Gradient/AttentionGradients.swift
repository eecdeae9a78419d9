import CLIPModel
import DenseMath

/// G_l = ∂logit_c/∂A_l: the gradient of one class's logit with respect to each layer's attention after
/// the softmax. Overwritten by each class and image.
final class AttentionGradients {
    /// The lowest layer whose gradient is computed.
    let lowestLayer: Int
    /// One for each layer from the lowest on. // [H, T, T]
    private let memory: [FloatBuffer]
    /// Gradient with respect to the residual stream. // [T, D]
    private let residual: FloatBuffer
    private let block: BlockGradient
    private let embedding, pooled: FloatBuffer

    init(_ vision: VisionTransformer, lowestLayer: Int) {
        self.lowestLayer = lowestLayer
        memory = vision.blocks.dropFirst(lowestLayer).map { FloatBuffer($0.heads * vision.tokens * vision.tokens) }
        residual = FloatBuffer(vision.tokens * vision.width)
        block = BlockGradient(vision)
        embedding = FloatBuffer(vision.embeddingWidth)
        pooled = FloatBuffer(vision.width)
    }

    /// G_l. // [H, T, T]
    subscript(layer: Int) -> UnsafeMutablePointer<Float> { memory[layer - lowestLayer].base }

    /// - Parameters:
    ///   - weights: the class's row of the classifier. // [d]
    ///   - scale: the factor between cosine and logit.
    func run(_ record: ForwardRecord, weights: [Float], scale: Float) {
        readOut(record, weights: weights, scale: scale)
        let vision = record.vision
        let (last, classToken) = (vision.blocks.count - 1, vision.layout.classToken..<vision.layout.classToken + 1)
        for layer in stride(from: last, through: lowestLayer, by: -1) {
            // Only the class token of the last layer is read out.
            block.run(
                vision.blocks[layer], record.layers[layer], rows: layer == last ? classToken : 0..<vision.tokens,
                residual: residual.base, attention: self[layer], throughAttention: layer > lowestLayer)
        }
    }

    /// Through ⟨r/‖r‖, w_c⟩, the projection and ln_post, to the class token of the last layer.
    private func readOut(_ record: ForwardRecord, weights: [Float], scale: Float) {
        let vision = record.vision
        let (width, d) = (vision.width, vision.embeddingWidth)
        let cosine = BLAS.dot(record.direction, weights, count: d)
        let factor = record.length > 0 ? scale / record.length : 0
        for j in 0..<d { embedding.base[j] = factor * (weights[j] - cosine * record.direction[j]) }
        BLAS.multiply(
            1, width, d, embedding.base, stride: d, vision.readout.projection.elements, stride: width,
            into: pooled.base, stride: width)
        residual.base.update(repeating: 0, count: residual.count)
        let row = vision.layout.classToken * width
        LayerNormGradient.add(
            pooled.base, through: vision.readout.norm, input: record.layers[record.layers.count - 1][.output] + row,
            mean: record.pass.outputMean, sigma: record.pass.outputSigma, rows: 1, to: residual.base + row,
            scratch: block.scratch.base)
    }
}
