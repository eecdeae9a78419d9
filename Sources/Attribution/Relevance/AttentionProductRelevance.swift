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
    ///   - attention: receives R_A in the first `rows` rows of each head. // [H, T, T]
    func toAttention(
        _ relevance: UnsafePointer<Float>, _ block: TransformerBlock, _ record: LayerRecord, rows: Int,
        attention: UnsafeMutablePointer<Float>
    ) {
        let (width, headWidth) = (block.width, block.headWidth)
        divide(relevance, by: record.mixed.base, count: rows * width)
        for head in 0..<block.heads {
            let target = attention + head * tokens * tokens
            BLAS.multiply(
                rows, tokens, headWidth, alpha: 0.5, ratio.base + head * headWidth, stride: width,
                record.queryKeyValue.base + 2 * width + head * headWidth, stride: 3 * width, otherTransposed: true,
                into: target, stride: tokens)
            let a = record.attention.base + head * tokens * tokens
            for i in 0..<rows * tokens { target[i] *= a[i] }
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
        _ record: LayerRecord, rows: Int, into result: UnsafeMutablePointer<Float>
    ) {
        let (width, headWidth, stride) = (block.width, block.headWidth, 3 * block.width)
        divide(relevance, by: record.mixed.base, count: rows * width)
        result.update(repeating: 0, count: tokens * stride)
        for head in 0..<block.heads {
            let offset = head * headWidth
            let (query, target) = (record.queryKeyValue.base + offset, result + offset)
            BLAS.multiply(
                tokens, headWidth, rows, alpha: 0.5, record.attention.base + head * tokens * tokens, stride: tokens,
                transposed: true, ratio.base + offset, stride: width, into: target + 2 * width, stride: stride)
            BLAS.multiply(
                rows, tokens, headWidth, query, stride: stride, query + width, stride: stride, otherTransposed: true,
                into: scores.base, stride: tokens)
            let r = attention + head * tokens * tokens
            for i in 0..<rows * tokens { scoreRatio.base[i] = RelevanceRule.ratio(r[i], scores.base[i]) }
            BLAS.multiply(
                rows, headWidth, tokens, alpha: 0.5, scoreRatio.base, stride: tokens, query + width, stride: stride,
                into: target, stride: stride)
            BLAS.multiply(
                tokens, headWidth, rows, alpha: 0.5, scoreRatio.base, stride: tokens, transposed: true,
                query, stride: stride, into: target + width, stride: stride)
        }
        let operands = record.queryKeyValue.base
        for i in 0..<tokens * stride { result[i] *= operands[i] }
    }

    private func divide(_ relevance: UnsafePointer<Float>, by output: UnsafePointer<Float>, count: Int) {
        for i in 0..<count { ratio.base[i] = RelevanceRule.ratio(relevance[i], output[i]) }
    }
}
