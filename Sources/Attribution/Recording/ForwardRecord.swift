import CLIPModel
import DenseMath

/// The forward pass of one image, every step kept. Overwritten by the next image.
///
/// Memory: about L·(T·(11 D + 2 N) + H·T²) numbers of four bytes.
final class ForwardRecord {
    let vision: VisionTransformer
    /// Normalised pixels by patch, channel first inside a patch. // [patches, 3 · patch · patch]
    let patches: FloatBuffer
    /// Class embedding and embedded patches, before the positions are added. // [T, D]
    let embedded: FloatBuffer
    let layers: [LayerRecord]
    /// The residual stream that leaves the last block. // [T, D]
    let output: FloatBuffer
    /// ln_post of the class token. // [D]
    let pooled: FloatBuffer
    /// μ*, σ* of ln_post at the class token. // [1]
    let outputMean, outputSigma: FloatBuffer
    /// r(I). // [d]
    let representation: FloatBuffer
    /// r(I)/‖r(I)‖; zeros where r is zero. // [d]
    let direction: FloatBuffer
    /// ‖r(I)‖
    private(set) var length: Float = 0
    private let inputMean, inputSigma: FloatBuffer

    init(_ vision: VisionTransformer) {
        self.vision = vision
        let (tokens, width) = (vision.tokens, vision.width)
        patches = FloatBuffer(vision.layout.patches * vision.patchEmbedding.inputs)
        embedded = FloatBuffer(tokens * width)
        layers = vision.blocks.map { LayerRecord($0, tokens: tokens) }
        output = FloatBuffer(tokens * width)
        pooled = FloatBuffer(width)
        (outputMean, outputSigma) = (FloatBuffer(1), FloatBuffer(1))
        representation = FloatBuffer(vision.embeddingWidth)
        direction = FloatBuffer(vision.embeddingWidth)
        (inputMean, inputSigma) = (FloatBuffer(tokens), FloatBuffer(tokens))
    }

    /// - Parameter image: 8-bit RGB of the model's size. // [size, size, 3]
    func run(_ image: UnsafePointer<UInt8>) {
        embed(image)
        for (layer, block) in vision.blocks.enumerated() {
            layers[layer].run(block, tokens: vision.tokens, into: stream(layer + 1))
        }
        readOut()
    }

    /// The residual stream that enters layer `layer`; for the number of layers, that which leaves the last. // [T, D]
    private func stream(_ layer: Int) -> UnsafeMutablePointer<Float> {
        layer < layers.count ? layers[layer].input.base : output.base
    }

    private func embed(_ image: UnsafePointer<UInt8>) {
        let (configuration, layout) = (vision.configuration, vision.layout)
        let (tokens, width) = (vision.tokens, vision.width)
        vision.normalisation.patches(
            of: image, imageSize: configuration.imageSize, patchSize: configuration.patchSize, into: patches.base)
        (embedded.base + layout.classToken * width).update(from: vision.classEmbedding, count: width)
        vision.patchEmbedding.multiply(
            patches.base, rows: layout.patches, into: embedded.base + layout.prefix * width)
        let x = stream(0)
        x.update(from: embedded.base, count: tokens * width)
        BLAS.add(1, vision.positionEmbedding.elements, to: x, count: tokens * width)
        vision.inputNorm(x, rows: tokens, into: x, mean: inputMean.base, sigma: inputSigma.base)
    }

    private func readOut() {
        let d = vision.embeddingWidth
        vision.readout(
            output.base, at: { _ in vision.layout.classToken }, batch: 1, tokens: vision.tokens,
            normalised: pooled.base, mean: outputMean.base, sigma: outputSigma.base, into: representation.base)
        length = BLAS.dot(representation.base, representation.base, count: d).squareRoot()
        let inverse = length > 0 ? 1 / length : 0
        for j in 0..<d { direction.base[j] = representation.base[j] * inverse }
    }
}
