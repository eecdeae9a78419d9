import DenseMath

/// CLIP's text tower: tokens → causal pre-norm transformer → end-of-text token → joint space.
public struct TextTransformer: Sendable {
    public let configuration: TextConfiguration
    /// // [vocabulary, D]
    public let tokenEmbedding: Tensor
    /// // [context, D]
    public let positionEmbedding: Tensor
    public private(set) var blocks: [TransformerBlock]
    /// ln_final and the projection.
    public let readout: Readout

    public var width: Int { configuration.width }
    public var embeddingWidth: Int { readout.embeddingWidth }

    /// - Precondition: the shapes are those that the configuration implies.
    public init(
        configuration: TextConfiguration, tokenEmbedding: Tensor, positionEmbedding: Tensor,
        blocks: [TransformerBlock], readout: Readout
    ) {
        precondition(blocks.count == configuration.layers && positionEmbedding.shape[0] == configuration.contextLength)
        self.configuration = configuration
        self.tokenEmbedding = tokenEmbedding
        self.positionEmbedding = positionEmbedding
        self.blocks = blocks
        self.readout = readout
    }

    /// The tower with the products of its blocks' linear layers in another precision.
    public func with(_ precision: Precision) -> TextTransformer {
        var tower = self
        tower.blocks = blocks.map { $0.with(precision) }
        return tower
    }

    /// Embeds texts, not normalised. The tower is causal, so tokens after the longest text's end change
    /// nothing and are left out; texts of one length run together, so that there is little padding.
    /// - Parameter texts: token ids with start and end, each at least one and at most as long as the context.
    /// - Returns: // [texts, d]
    public func callAsFunction(_ texts: [[Int]]) -> Tensor {
        var result = Tensor(zeros: [texts.count, embeddingWidth])
        let batchSize = 64
        let byLength = texts.indices.sorted { (texts[$0].count, $0) < (texts[$1].count, $1) }
        for start in stride(from: 0, to: texts.count, by: batchSize) {
            let batch = byLength[start..<min(start + batchSize, texts.count)]
            let embeddings = embed(batch.map { texts[$0] })
            for (row, index) in batch.enumerated() {
                result.elements.replaceSubrange(
                    index * embeddingWidth..<(index + 1) * embeddingWidth,
                    with: embeddings.elements[row * embeddingWidth..<(row + 1) * embeddingWidth])
            }
        }
        return result
    }

    /// What the tower says at every position of one text, not only at its end: the embedding of the text up to there,
    /// not normalised.
    /// - Parameter text: token ids with start and end, at most as long as the context.
    /// - Returns: // [tokens, d]
    public func everyPosition(of text: [Int]) -> Tensor {
        let (x, scratch) = residual([text])
        var result = Tensor(zeros: [text.count, embeddingWidth])
        readout(
            x.base, rows: text.count, normalised: x.base, mean: scratch.mean.base, sigma: scratch.sigma.base,
            into: &result.elements)
        return result
    }

    private func embed(_ texts: [[Int]]) -> Tensor {
        let ends = texts.map(configuration.pooling.position)
        let (x, scratch) = residual(texts, readAt: ends)
        var result = Tensor(zeros: [texts.count, embeddingWidth])
        readout(
            x.base, at: { ends[$0] }, batch: texts.count, tokens: texts.map(\.count).max() ?? 0,
            normalised: scratch.normalised.base, mean: scratch.mean.base, sigma: scratch.sigma.base,
            into: &result.elements)
        return result
    }

    /// What leaves the last block. // [texts · longest, D]
    /// - Parameter ends: the position of each text that is read, the only one then that leaves the last block; nil for all.
    private func residual(_ texts: [[Int]], readAt ends: [Int]? = nil) -> (x: FloatBuffer, scratch: BlockScratch) {
        let tokens = texts.map(\.count).max() ?? 0
        let rows = texts.count * tokens
        precondition(
            tokens <= configuration.contextLength,
            "a text of \(tokens) tokens in a context of \(configuration.contextLength)")
        precondition(texts.allSatisfy { !$0.isEmpty }, "a text without tokens")
        let scratch = BlockScratch(width: width, neurons: configuration.mlpWidth, batch: texts.count, tokens: tokens)
        let x = FloatBuffer(rows * width)
        for (index, text) in texts.enumerated() {
            for position in 0..<tokens {
                let target = x.base + (index * tokens + position) * width
                // What stands after a text's end reaches nothing that is read; any token will do.
                let token = position < text.count ? text[position] : 0
                for i in 0..<width {
                    target[i] =
                        tokenEmbedding.elements[token * width + i] + positionEmbedding.elements[position * width + i]
                }
            }
        }
        for (layer, block) in blocks.enumerated() {
            if let ends, layer == blocks.count - 1 {
                block.advanceOneToken(
                    x.base, at: { ends[$0] }, batch: texts.count, tokens: tokens, mask: .causal, scratch: scratch,
                    capture: nil)
            } else {
                block(x.base, batch: texts.count, tokens: tokens, mask: .causal, scratch: scratch, capture: nil)
            }
        }
        return (x, scratch)
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
