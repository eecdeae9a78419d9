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

/// Relevance of a sum a + b, shared out in proportion: a ∘ R/(a + b) and b ∘ R/(a + b).
///
/// Where a + b is small beside a and b, the shares are large and of opposite sign. The modified rule
/// scales both by one factor and gives each the sign of the total, so that their sums are the parts of
/// ΣR in which |Σ share_a| and |Σ share_b| divide it.
enum ResidualRelevance {
    /// - Parameters:
    ///   - relevance: R; becomes a's share. // [count]
    ///   - second: receives b's share. // [count]
    static func propagate(
        _ relevance: UnsafeMutablePointer<Float>, rule: RelevanceRule, _ a: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>, count: Int, second: UnsafeMutablePointer<Float>
    ) {
        let total = rule == .modified ? sum(relevance, count: count) : 0
        for i in 0..<count {
            let s = RelevanceRule.ratio(relevance[i], a[i] + b[i])
            relevance[i] = a[i] * s
            second[i] = b[i] * s
        }
        guard rule == .modified else { return }
        let (firstSum, secondSum) = (sum(relevance, count: count), sum(second, count: count))
        let magnitude = firstSum.magnitude + secondSum.magnitude
        let factor = Float(magnitude > 0 ? total / magnitude : 0)
        scale(relevance, by: firstSum < 0 ? -factor : factor, count: count)
        scale(second, by: secondSum < 0 ? -factor : factor, count: count)
    }

    private static func sum(_ x: UnsafePointer<Float>, count: Int) -> Double {
        var sum = 0.0
        for i in 0..<count { sum += Double(x[i]) }
        return sum
    }

    private static func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float, count: Int) {
        for i in 0..<count { x[i] *= factor }
    }
}

/// How layers hand relevance on to their inputs (layer-wise relevance propagation with α = 1).
enum RelevanceRule {
    /// Of Chefer, Gur and Wolf (arXiv 2012.09838): linear layers and residual sums conserve the total.
    case modified
    /// Of Binder et al. (2016): linear layers share positive and negative inputs out separately.
    case original

    /// a/(b + 1e-9), and 0 where that has no value or b is nothing.
    @inline(__always)
    static func ratio(_ a: Float, _ b: Float) -> Float {
        let denominator = b + 1e-9
        // Divided before the choices, so that loops have no branches.
        let quotient = a / denominator
        let finite = denominator == 0 ? 0 : quotient
        return b == 0 ? 0 : finite
    }
}

/// Relevance that one rule sends downwards, and how far.
struct RelevanceStream: Equatable {
    let rule: RelevanceRule
    /// The last layer whose attention it reaches, or ``pixels``.
    let lowestLayer: Int

    /// Below all layers.
    static let pixels = -1
}
