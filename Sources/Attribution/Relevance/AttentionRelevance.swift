import CLIPModel
import DenseMath

/// Relevance of one class's logit for each layer's attention and for the pixels. Starts as one at the
/// logit and passes the scale and the L2 normalisation unchanged. Overwritten by each class and image.
final class AttentionRelevance {
    /// Those that go deepest first, so that the ones still under way are always the first.
    let streams: [RelevanceStream]
    /// What reaches the pixels, where a stream does.
    let pixels: PixelRelevance?
    /// Of the residual stream that the streams have come to. // [streams, T, D]
    let residual: FloatBuffer
    private let linear: LinearRelevance
    private let block: BlockRelevance
    private let embedding: FloatBuffer
    /// By stream and layer from the stream's lowest on. // [H, T, T]
    private let memory: [[FloatBuffer]]

    /// - Precondition: at most one stream goes to the pixels.
    init(_ vision: VisionTransformer, streams: [RelevanceStream]) {
        let streams = streams.sorted { $0.lowestLayer < $1.lowestLayer }
        precondition(streams.count { $0.lowestLayer == RelevanceStream.pixels } <= 1)
        self.streams = streams
        let (tokens, width, d) = (vision.tokens, vision.width, vision.embeddingWidth)
        let (neurons, patch) = (vision.configuration.mlpWidth, vision.patchEmbedding.inputs)
        let weights = SignedWeights(capacity: width * max(3 * width, neurons, patch, d))
        linear = LinearRelevance(
            weights: weights, streams: streams.count, rows: tokens, inputs: max(width, neurons, d),
            outputs: max(3 * width, neurons, d))
        block = BlockRelevance(vision, linear: linear, streams: streams.count)
        residual = FloatBuffer(streams.count * tokens * width)
        embedding = FloatBuffer(streams.count * d)
        memory = streams.map { stream in
            vision.blocks.dropFirst(max(stream.lowestLayer, 0)).map { FloatBuffer($0.heads * tokens * tokens) }
        }
        pixels =
            streams.first?.lowestLayer == RelevanceStream.pixels ? PixelRelevance(vision, weights: weights) : nil
    }

    /// Relevance of a layer's attention. // [H, T, T]
    subscript(rule: RelevanceRule, layer: Int) -> UnsafePointer<Float> {
        guard let stream = streams.firstIndex(where: { $0.rule == rule }) else {
            preconditionFailure("relevance of a rule was read but not declared")
        }
        return UnsafePointer(attention(stream, layer).base)
    }

    private func attention(_ stream: Int, _ layer: Int) -> FloatBuffer {
        memory[stream][layer - max(streams[stream].lowestLayer, 0)]
    }

    /// - Parameter weights: the class's row of the classifier. // [d]
    func run(_ record: ForwardRecord, weights: [Float]) {
        let vision = record.vision
        readOut(record, weights)
        let (last, classToken) = (vision.blocks.count - 1, vision.layout.classToken..<vision.layout.classToken + 1)
        var layer = last
        while true {
            let active = streams.prefix { $0.lowestLayer <= layer }.count
            guard layer >= 0, active > 0 else { break }
            // Only the class token of the last layer is read out.
            block.run(
                vision.blocks[layer], record.layers[layer], rules: streams.prefix(active).map(\.rule),
                rows: layer == last ? classToken : 0..<vision.tokens, relevance: residual.base,
                attention: (0..<active).map { attention($0, layer) },
                goingOn: streams.prefix { $0.lowestLayer < layer }.count)
            layer -= 1
        }
        if let first = streams.first { pixels?.propagate(residual.base, rule: first.rule, record) }
    }

    /// Through classifier and projection to the class token of the last layer. // → residual [streams, 1, D]
    private func readOut(_ record: ForwardRecord, _ weights: [Float]) {
        let vision = record.vision
        let (width, d) = (vision.width, vision.embeddingWidth)
        let rules = streams.map(\.rule)
        linear.propagate(
            [Float](repeating: 1, count: rules.count), rules: rules, weight: weights, outputs: 1, inputs: d,
            input: record.direction, rows: 1, into: embedding.base)
        linear.propagate(
            embedding.base, rules: rules, weight: vision.readout.projection.elements, outputs: d, inputs: width,
            input: record.pass.pooled, rows: 1, into: residual.base)
    }
}

/// Relevance through the two products of an attention layer, A·V and Q·Kᵀ, the same in both rules: with
/// Z = X·Y and S = R/Z, each operand receives X ∘ ∂⟨Z, S⟩/∂X, halved. The softmax hands it on unchanged.
final class AttentionProductRelevance {
    private let tokens: Int
    private let ratio, scores, scoreRatio: FloatBuffer

    init(_ vision: VisionTransformer) {
        tokens = vision.tokens
        ratio = FloatBuffer(tokens * vision.width)
        scores = FloatBuffer(tokens * tokens)
        scoreRatio = FloatBuffer(tokens * tokens)
    }

    /// Through A·V to the attention: R_A = A ∘ (S Vᵀ)/2.
    /// - Parameters:
    ///   - relevance: of A·V, heads side by side. // [rows, D]
    ///   - rows: tokens that have any.
    ///   - attention: receives R_A in these rows of each head. // [H, T, T]
    func toAttention(
        _ relevance: UnsafePointer<Float>, _ block: TransformerBlock, _ record: LayerCapture, rows: Range<Int>,
        attention: UnsafeMutablePointer<Float>
    ) {
        let (width, headWidth) = (block.width, block.headWidth)
        divide(relevance, by: record[.mixed] + rows.lowerBound * width, count: rows.count * width)
        for head in 0..<block.heads {
            let start = (head * tokens + rows.lowerBound) * tokens
            let target = attention + start
            BLAS.multiply(
                rows.count, tokens, headWidth, alpha: 0.5, ratio.base + head * headWidth, stride: width,
                record[.queryKeyValue] + 2 * width + head * headWidth, stride: 3 * width, otherTransposed: true,
                into: target, stride: tokens)
            let a = record[.attention] + start
            for i in 0..<rows.count * tokens { target[i] *= a[i] }
        }
    }

    /// Through A·V to the values, and from R_A through Q·Kᵀ to queries and keys:
    /// R_V = V ∘ (AᵀS)/2, R_Q = Q ∘ (S K)/2, R_K = K ∘ (SᵀQ)/2.
    /// - Parameters:
    ///   - relevance: of A·V. // [rows, D]
    ///   - attention: R_A // [H, T, T]
    ///   - result: receives the relevance of queries, keys and values side by side. // [T, 3D]
    func toOperands(
        _ relevance: UnsafePointer<Float>, attention: UnsafePointer<Float>, _ block: TransformerBlock,
        _ record: LayerCapture, rows: Range<Int>, into result: UnsafeMutablePointer<Float>
    ) {
        let (width, headWidth, stride) = (block.width, block.headWidth, 3 * block.width)
        divide(relevance, by: record[.mixed] + rows.lowerBound * width, count: rows.count * width)
        result.update(repeating: 0, count: tokens * stride)
        let operands = record[.queryKeyValue]
        for head in 0..<block.heads {
            let (offset, start) = (head * headWidth, (head * tokens + rows.lowerBound) * tokens)
            let (keys, target) = (operands + width + offset, result + offset)
            let queries = operands + rows.lowerBound * stride + offset
            BLAS.multiply(
                tokens, headWidth, rows.count, alpha: 0.5, record[.attention] + start, stride: tokens,
                transposed: true, ratio.base + offset, stride: width, into: target + 2 * width, stride: stride)
            BLAS.multiply(
                rows.count, tokens, headWidth, queries, stride: stride, keys, stride: stride, otherTransposed: true,
                into: scores.base, stride: tokens)
            let r = attention + start
            for i in 0..<rows.count * tokens { scoreRatio.base[i] = RelevanceRule.ratio(r[i], scores.base[i]) }
            BLAS.multiply(
                rows.count, headWidth, tokens, alpha: 0.5, scoreRatio.base, stride: tokens, keys, stride: stride,
                into: target + rows.lowerBound * stride, stride: stride)
            BLAS.multiply(
                tokens, headWidth, rows.count, alpha: 0.5, scoreRatio.base, stride: tokens, transposed: true, queries,
                stride: stride, into: target + width, stride: stride)
        }
        for i in 0..<tokens * stride { result[i] *= operands[i] }
    }

    private func divide(_ relevance: UnsafePointer<Float>, by output: UnsafePointer<Float>, count: Int) {
        for i in 0..<count { ratio.base[i] = RelevanceRule.ratio(relevance[i], output[i]) }
    }
}
