import DenseMath

extension TransformerBlock {
    /// Runs the block for one token of each image or text alone; the others' rows of `x` stay what they were.
    ///
    /// Of the last block of a tower that is read at one token, this is all that anybody sees: keys and values of all
    /// tokens, but one row of attention, of W_O and of the MLP. // x [batch · tokens, D]
    /// - Parameters:
    ///   - position: of that token, by image or text.
    ///   - capture: of an image tower's class token; nil for texts.
    func advanceOneToken(
        _ x: UnsafeMutablePointer<Float>, at position: (Int) -> Int, batch: Int, tokens: Int, mask: Mask,
        scratch: BlockScratch, capture: LayerCapture?
    ) {
        precondition(capture?.isOfClassToken ?? true, "other tokens than one do not go through the block")
        let stride = 3 * width
        attentionNorm(
            x, rows: batch * tokens, into: scratch.normalised.base,
            mean: capture?.buffer(.attentionMean) ?? scratch.mean.base,
            sigma: capture?.buffer(.attentionSigma) ?? scratch.sigma.base)
        queryKeyValue(scratch.normalised.base, rows: batch * tokens, into: scratch.queryKeyValue.base)
        let (scores, scale) = (scratch.scores.base, head(tokens: tokens).scale)
        for index in 0..<batch {
            let token = position(index)
            let visible = mask == .causal ? token + 1 : tokens
            for head in 0..<heads {
                let first = scratch.queryKeyValue.base + index * tokens * stride + head * headWidth
                BLAS.multiply(
                    visible, headWidth, first + width, stride: stride, vector: first + token * stride, into: scores)
                RowKernels.softmax(scores, rows: 1, columns: visible, scale: scale, causal: false)
                capture?.keepClassAttention(scores, image: index, head: head)
                BLAS.multiply(
                    visible, headWidth, first + 2 * width, stride: stride, transposed: true, vector: scores,
                    into: scratch.mixed.base + index * width + head * headWidth)
            }
        }
        // Queries, keys and values have been used. // [batch, D]
        let chosen = scratch.queryKeyValue.base
        func row(_ index: Int) -> UnsafeMutablePointer<Float> { x + (index * tokens + position(index)) * width }
        for index in 0..<batch { (chosen + index * width).update(from: row(index), count: width) }
        attentionOutput(scratch.mixed.base, rows: batch, accumulating: true, into: chosen)
        addMLP(to: chosen, rows: batch, scratch: scratch)
        for index in 0..<batch { row(index).update(from: chosen + index * width, count: width) }
    }
}
