import CLIPModel
import DenseMath

/// The forward pass of one image, with the operands of every product, sum and non-linearity, from which gradients and
/// relevance are propagated backwards. Holds until its workspace runs again.
///
/// Memory: about L·(T·(12 D + 2 N) + H·T²) numbers of four bytes.
struct ForwardRecord {
    let vision: VisionTransformer
    let pass: VisionPass
    let layers: [LayerCapture]
    /// r(I)/‖r(I)‖; zeros where r is zero. // [d]
    let direction: [Float]
    /// ‖r(I)‖
    let length: Float

    /// What holds one image's record.
    static func workspace(_ vision: VisionTransformer) -> VisionWorkspace {
        let request = CaptureRequest(LayerTap.allCases).subtracting([.classAttention, .mlpOutput])
        return VisionWorkspace(
            vision, capacity: 1, capturing: [CaptureRequest](repeating: request, count: vision.blocks.count))
    }

    /// - Parameters:
    ///   - image: 8-bit RGB of the model's size. // [size, size, 3]
    ///   - workspace: ``workspace(_:)`` of the same tower.
    init(_ vision: VisionTransformer, _ image: UnsafePointer<UInt8>, _ workspace: VisionWorkspace) {
        let pass = vision(image, batch: 1, workspace)
        let r = UnsafeBufferPointer(start: pass.embeddings, count: vision.embeddingWidth)
        let length = BLAS.dot(pass.embeddings, pass.embeddings, count: r.count).squareRoot()
        let inverse = length > 0 ? 1 / length : 0
        (self.vision, self.pass, self.length) = (vision, pass, length)
        layers = vision.blocks.indices.map(pass.capture)
        direction = r.map { $0 * inverse }
    }
}

extension LayerCapture {
    /// The class token's attention in one head. // [T]
    func classAttention(_ head: Int, _ layout: TokenLayout) -> UnsafePointer<Float> {
        self[.attention] + (head * layout.count + layout.classToken) * layout.count
    }
}
