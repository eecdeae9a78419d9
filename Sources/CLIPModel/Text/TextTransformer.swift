import DenseMath

/// CLIP's text tower: tokens → causal pre-norm transformer → end-of-text token → joint space.
public struct TextTransformer: Sendable {
    public let configuration: TextConfiguration
    /// // [vocabulary, D]
    public let tokenEmbedding: Tensor
    /// // [context, D]
    public let positionEmbedding: Tensor
    public let blocks: [TransformerBlock]
    /// ln_final
    public let outputNorm: LayerNorm
    /// // [d, D]
    public let projection: Tensor

    public var width: Int { configuration.width }
    public var embeddingWidth: Int { projection.shape[0] }

    /// - Precondition: the shapes are those that the configuration implies.
    public init(
        configuration: TextConfiguration, tokenEmbedding: Tensor, positionEmbedding: Tensor,
        blocks: [TransformerBlock], outputNorm: LayerNorm, projection: Tensor
    ) {
        precondition(blocks.count == configuration.layers && positionEmbedding.shape[0] == configuration.contextLength)
        self.configuration = configuration
        self.tokenEmbedding = tokenEmbedding
        self.positionEmbedding = positionEmbedding
        self.blocks = blocks
        self.outputNorm = outputNorm
        self.projection = projection
    }

    /// Embeds texts, not normalised. The tower is causal, so tokens after the longest text's end change
    /// nothing and are left out.
    /// - Parameter texts: token ids with start and end, each at most as long as the context.
    /// - Returns: // [texts, d]
    public func callAsFunction(_ texts: [[Int]]) -> Tensor {
        var result = Tensor(zeros: [texts.count, embeddingWidth])
        let batchSize = 64
        for start in stride(from: 0, to: texts.count, by: batchSize) {
            let batch = Array(texts[start..<min(start + batchSize, texts.count)])
            let embeddings = embed(batch)
            result.elements.replaceSubrange(
                start * embeddingWidth..<(start + batch.count) * embeddingWidth, with: embeddings.elements)
        }
        return result
    }

    private func embed(_ texts: [[Int]]) -> Tensor {
        let tokens = texts.map(\.count).max() ?? 0
        let rows = texts.count * tokens
        precondition(tokens <= configuration.contextLength, "a text of \(tokens) tokens in a context of \(configuration.contextLength)")
        let scratch = BlockScratch(width: width, neurons: configuration.mlpWidth, batch: texts.count, tokens: tokens)
        let x = FloatBuffer(rows * width)
        for (index, text) in texts.enumerated() {
            for position in 0..<tokens {
                let target = x.base + (index * tokens + position) * width
                // What stands after a text's end reaches nothing that is read; any token will do.
                let token = position < text.count ? text[position] : 0
                for i in 0..<width {
                    target[i] = tokenEmbedding.elements[token * width + i] + positionEmbedding.elements[position * width + i]
                }
            }
        }
        for block in blocks {
            block(x.base, batch: texts.count, tokens: tokens, mask: .causal, scratch: scratch, capture: nil)
        }
        let pooled = FloatBuffer(texts.count * width)
        for (index, text) in texts.enumerated() {
            let end = configuration.pooling.position(in: text)
            (pooled.base + index * width).update(from: x.base + (index * tokens + end) * width, count: width)
        }
        outputNorm(
            pooled.base, rows: texts.count, into: pooled.base, mean: scratch.mean.base, sigma: scratch.sigma.base)
        var result = Tensor(zeros: [texts.count, embeddingWidth])
        BLAS.multiply(
            texts.count, embeddingWidth, width, pooled.base, stride: width, projection.elements, stride: width,
            otherTransposed: true, into: &result.elements, stride: embeddingWidth)
        return result
    }
}

extension TextPooling {
    /// The position whose token is the text's embedding.
    func position(in text: [Int]) -> Int {
        switch self {
        case .firstOccurrence(let token): text.firstIndex(of: token) ?? text.count - 1
        case .highestToken: text.indices.max { text[$0] < text[$1] || (text[$0] == text[$1] && $0 > $1) } ?? 0
        }
    }
}
