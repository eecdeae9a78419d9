import CLIPModel
import DenseMath

/// Relevance through one block for one image, with its scratch memory. Non-linearity, softmax and layer
/// norms hand it on unchanged; where a value has two readers, what they send back is added.
final class BlockRelevance {
    private let tokens: Int
    private let linear: LinearRelevance
    private let products: AttentionProductRelevance
    private let branch, normalised, hidden, queryKeyValue: FloatBuffer
    private let second: FloatBuffer

    init(_ vision: VisionTransformer, linear: LinearRelevance, streams: Int) {
        tokens = vision.tokens
        self.linear = linear
        products = AttentionProductRelevance(vision)
        let residual = streams * tokens * vision.width
        (branch, normalised) = (FloatBuffer(residual), FloatBuffer(residual))
        second = FloatBuffer(residual)
        hidden = FloatBuffer(streams * tokens * vision.configuration.mlpWidth)
        queryKeyValue = FloatBuffer(3 * residual)
    }

    /// - Parameters:
    ///   - rows: tokens with relevance at the block's output; at the others it is zero.
    ///   - relevance: of the block's output // [streams, rows, D]; becomes that of its input // [going on, T, D].
    ///   - attention: for each stream what receives the relevance of the attention. // [H, T, T]
    ///   - goingOn: how many of the streams, from the first, go on to the block's input.
    func run(
        _ block: TransformerBlock, _ record: LayerCapture, rules: [RelevanceRule], rows: Range<Int>,
        relevance: UnsafeMutablePointer<Float>, attention: [FloatBuffer], goingOn: Int
    ) {
        let (width, first) = (block.width, rows.lowerBound * block.width)
        let size = rows.count * width
        mlp(block, record, rules: rules, rows: rows, relevance: relevance)
        share(
            relevance, rules: rules, record[.attentionInput] + first, record[.attentionBranch] + first, size: size)
        linear.propagate(
            branch.base, rules: rules, weight: block.attentionOutput.weight.elements, outputs: width, inputs: width,
            input: record[.mixed] + first, rows: rows.count, into: normalised.base)
        for stream in rules.indices {
            products.toAttention(
                normalised.base + stream * size, block, record, rows: rows, attention: attention[stream].base)
        }
        guard goingOn > 0 else { return }
        for stream in 0..<goingOn {
            products.toOperands(
                normalised.base + stream * size, attention: attention[stream].base, block, record, rows: rows,
                into: queryKeyValue.base + stream * 3 * tokens * width)
        }
        linear.propagate(
            queryKeyValue.base, rules: Array(rules.prefix(goingOn)), weight: block.queryKeyValue.weight.elements,
            outputs: 3 * width, inputs: width, input: record[.attentionNormalised], rows: tokens, into: second.base)
        for stream in 0..<goingOn {
            BLAS.add(1, relevance + stream * size, to: second.base + stream * tokens * width + first, count: size)
        }
        relevance.update(from: second.base, count: goingOn * tokens * width)
    }

    /// Through the MLP and past it.
    private func mlp(
        _ block: TransformerBlock, _ record: LayerCapture, rules: [RelevanceRule], rows: Range<Int>,
        relevance: UnsafeMutablePointer<Float>
    ) {
        let (width, neurons, first) = (block.width, block.neurons, rows.lowerBound)
        share(
            relevance, rules: rules, record[.mlpInput] + first * width, record[.mlpBranch] + first * width,
            size: rows.count * width)
        linear.propagate(
            branch.base, rules: rules, weight: block.mlpOutput.weight.elements, outputs: width, inputs: neurons,
            input: record[.activations] + first * neurons, rows: rows.count, into: hidden.base)
        linear.propagate(
            hidden.base, rules: rules, weight: block.mlpInput.weight.elements, outputs: neurons, inputs: width,
            input: record[.mlpNormalised] + first * width, rows: rows.count, into: normalised.base)
        BLAS.add(1, normalised.base, to: relevance, count: rules.count * rows.count * width)
    }

    /// Leaves the residual stream's share in `relevance` and the branch's in `branch`.
    private func share(
        _ relevance: UnsafeMutablePointer<Float>, rules: [RelevanceRule], _ stream: UnsafePointer<Float>,
        _ branch: UnsafePointer<Float>, size: Int
    ) {
        for (index, rule) in rules.enumerated() {
            ResidualRelevance.propagate(
                relevance + index * size, rule: rule, stream, branch, count: size,
                second: self.branch.base + index * size)
        }
    }
}
