import CLIPModel
import DenseMath

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
