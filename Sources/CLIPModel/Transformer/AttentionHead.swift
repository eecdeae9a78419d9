import DenseMath

/// The two products of one attention head, over the tokens of one image or text.
package struct AttentionHead {
    package let tokens: Int
    /// Width d_h of a query, key or value.
    package let width: Int
    /// c = d_h^(−½), the factor of the scores.
    package let scale: Float

    package init(tokens: Int, width: Int) {
        (self.tokens, self.width) = (tokens, width)
        scale = 1 / Float(width).squareRoot()
    }

    /// scores ← softmax(scale · (a bᵀ + offset)), by rows, with c for the scale unless another is given.
    /// // a, b [T, d_h], offset and scores [T, T]
    package func compare(
        _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, stride: Int, scale: Float? = nil,
        offset: UnsafePointer<Float>? = nil, mask: TransformerBlock.Mask = .none,
        into scores: UnsafeMutablePointer<Float>
    ) {
        BLAS.multiply(
            tokens, tokens, width, a, stride: stride, b, stride: stride, otherTransposed: true, into: scores,
            stride: tokens)
        if let offset { BLAS.add(1, offset, to: scores, count: tokens * tokens) }
        RowKernels.softmax(scores, rows: tokens, columns: tokens, scale: scale ?? self.scale, causal: mask == .causal)
    }

    /// mixed ← share · scores v, or that added to it. // [T, d_h]
    package func mix(
        _ values: UnsafePointer<Float>, stride: Int, by scores: UnsafePointer<Float>, share: Float = 1,
        accumulating: Bool = false, into mixed: UnsafeMutablePointer<Float>, mixedStride: Int
    ) {
        BLAS.multiply(
            tokens, width, tokens, alpha: share, scores, stride: tokens, values, stride: stride,
            beta: accumulating ? 1 : 0, into: mixed, stride: mixedStride)
    }
}
