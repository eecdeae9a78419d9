import DenseMath

/// A CLIP model: two towers, a tokeniser, and where they came from.
public struct CLIP: Sendable {
    /// The model as its files describe it, and who decided its non-linearities.
    public let description: ModelDescription
    public let vision: VisionTransformer
    public let text: TextTransformer
    public let tokenizer: Tokenizer
    /// ln of the factor that turns cosines into logits.
    public let logitScale: Float

    public var configuration: CLIPConfiguration { description.configuration }

    /// The model with the products of its linear layers in another precision; everything else stays in fp32.
    public func with(_ precision: Precision) -> CLIP {
        guard precision != .fp32 else { return self }
        return CLIP(
            description: description, vision: vision.with(precision), text: text.with(precision), tokenizer: tokenizer,
            logitScale: logitScale)
    }

    /// Unit embeddings of texts. // [texts, d]
    public func embed(texts: [String]) -> Tensor {
        text(tokenizer.encode(texts)).rowsNormalised()
    }

    /// Unit embeddings of images of the model's own size, 8-bit RGB. // [images, d]
    /// - Precondition: `pixels` holds a whole number of images.
    public func embed(images pixels: [UInt8]) -> Tensor {
        let size = 3 * vision.configuration.imageSize * vision.configuration.imageSize
        precondition(pixels.count % size == 0, "not a whole number of images of \(size) bytes")
        let count = pixels.count / size
        let workspace = VisionWorkspace(vision, capacity: min(16, max(count, 1)))
        var result = Tensor(zeros: [count, vision.embeddingWidth])
        pixels.withUnsafeBufferPointer { pixels in
            for start in stride(from: 0, to: count, by: workspace.capacity) {
                let batch = min(workspace.capacity, count - start)
                guard let base = pixels.baseAddress else { return }
                let pass = vision(base + start * size, batch: batch, workspace)
                for i in 0..<batch * vision.embeddingWidth {
                    result.elements[start * vision.embeddingWidth + i] = pass.embeddings[i]
                }
            }
        }
        return result.rowsNormalised()
    }
}
