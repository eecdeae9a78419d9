import DenseMath

extension TransformerBlock {
    /// Runs the block for the first token of each image alone; the others' rows of `x` stay what they were.
    ///
    /// Of the last block of a tower that is read at its first token, this is all that anybody sees: keys and values of
    /// all tokens, but one row of attention, of W_O and of the MLP. // x [batch · tokens, D]
    func advanceFirstToken(
        _ x: UnsafeMutablePointer<Float>, batch: Int, tokens: Int, scratch: BlockScratch, capture: LayerCapture?
    ) {
        let stride = 3 * width
        attentionNorm(
            x, rows: batch * tokens, into: scratch.normalised.base, mean: capture?.meanBuffer ?? scratch.mean.base,
            sigma: capture?.sigmaBuffer ?? scratch.sigma.base)
        queryKeyValue(scratch.normalised.base, rows: batch * tokens, into: scratch.queryKeyValue.base)
        let scores = scratch.scores.base
        for image in 0..<batch {
            for head in 0..<heads {
                let query = scratch.queryKeyValue.base + image * tokens * stride + head * headWidth
                BLAS.multiply(tokens, headWidth, query + width, stride: stride, vector: query, into: scores)
                RowKernels.softmax(scores, rows: 1, columns: tokens, scale: 1 / Float(headWidth).squareRoot(), causal: false)
                capture?.keepClassAttention(scores, image: image, head: head)
                BLAS.multiply(
                    tokens, headWidth, query + 2 * width, stride: stride, transposed: true, vector: scores,
                    into: scratch.mixed.base + image * width + head * headWidth)
            }
        }
        // Queries, keys and values have been used. // [batch, D]
        let first = scratch.queryKeyValue.base
        for image in 0..<batch { (first + image * width).update(from: x + image * tokens * width, count: width) }
        attentionOutput(scratch.mixed.base, rows: batch, accumulating: true, into: first)
        addMLP(to: first, rows: batch, scratch: scratch)
        for image in 0..<batch { (x + image * tokens * width).update(from: first + image * width, count: width) }
    }
}
