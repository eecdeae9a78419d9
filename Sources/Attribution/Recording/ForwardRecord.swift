import CLIPModel
import DenseMath

/// The forward pass of one image, with the operands of every product, sum and non-linearity, from which gradients and
/// relevance are propagated backwards. Overwritten by the next image.
///
/// Memory: about L·(T·(12 D + 2 N) + H·T²) numbers of four bytes.
final class ForwardRecord {
    let vision: VisionTransformer
    private let workspace: VisionWorkspace
    let layers: [LayerCapture]
    /// r(I)/‖r(I)‖; zeros where r is zero. // [d]
    let direction: FloatBuffer
    /// ‖r(I)‖
    private(set) var length: Float = 0

    private static let request = CaptureRequest(LayerTap.allCases).subtracting([.classAttention, .mlpOutput])

    init(_ vision: VisionTransformer) {
        self.vision = vision
        workspace = VisionWorkspace(
            vision, capacity: 1, capturing: [CaptureRequest](repeating: Self.request, count: vision.blocks.count))
        layers = vision.blocks.indices.map(workspace.capture)
        direction = FloatBuffer(vision.embeddingWidth)
    }

    /// - Parameter image: 8-bit RGB of the model's size. // [size, size, 3]
    func run(_ image: UnsafePointer<UInt8>) {
        vision(image, batch: 1, workspace)
        let d = vision.embeddingWidth
        length = BLAS.dot(representation, representation, count: d).squareRoot()
        let inverse = length > 0 ? 1 / length : 0
        for j in 0..<d { direction.base[j] = representation[j] * inverse }
    }

    /// Normalised pixels by patch, channel first inside a patch. // [patches, 3 · patch · patch]
    var patches: FloatBuffer { workspace.patches }
    /// The class token after ln_post. // [D]
    var pooled: UnsafePointer<Float> { UnsafePointer(workspace.pooled.base) }
    /// μ* of ln_post at the class token.
    var outputMean: Float { workspace.outputMean.base[0] }
    /// σ* of ln_post at the class token.
    var outputSigma: Float { workspace.outputSigma.base[0] }
    /// r(I). // [d]
    var representation: UnsafePointer<Float> { UnsafePointer(workspace.embeddings.base) }

    /// Class embedding and embedded patches, before the positions are added. // [T, D]
    func placeTokens(into tokens: UnsafeMutablePointer<Float>) { vision.placeTokens(workspace, into: tokens) }
}

extension LayerCapture {
    /// The class token's attention in one head. // [T]
    func classAttention(_ head: Int, _ layout: TokenLayout) -> UnsafePointer<Float> {
        self[.attention] + (head * layout.count + layout.classToken) * layout.count
    }
}
