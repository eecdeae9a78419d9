import DenseMath

/// Relevance through y = x Wᵀ (+ b, which is ignored), with x±, W± the positive and negative parts:
///
///     modified:  S = R / (x⁺W⁺ᵀ + x⁻W⁻ᵀ)                    R_in = x⁺ ∘ (S W⁺) + x⁻ ∘ (S W⁻)
///     original:  S₁ = R / (x⁺W⁺ᵀ),  S₂ = R / (x⁻W⁻ᵀ)        R_in = x⁺ ∘ (S₁W⁺) + x⁻ ∘ (S₂W⁻)
///
/// The original form hands on the relevance twice, once for each product. The streams of both rules go
/// through a layer together and share W± and the products with x±.
final class LinearRelevance {
    private let weights: SignedWeights
    private let positiveInput, negativeInput: FloatBuffer
    private let positiveOutput, negativeOutput: FloatBuffer
    private let positiveRatio, negativeRatio: FloatBuffer
    private let positiveResult, negativeResult: FloatBuffer

    /// - Parameters:
    ///   - weights: scratch for the largest matrix.
    ///   - inputs, outputs: the largest width of x and of y.
    init(weights: SignedWeights, streams: Int, rows: Int, inputs: Int, outputs: Int) {
        self.weights = weights
        (positiveInput, negativeInput) = (FloatBuffer(rows * inputs), FloatBuffer(rows * inputs))
        (positiveOutput, negativeOutput) = (FloatBuffer(rows * outputs), FloatBuffer(rows * outputs))
        (positiveRatio, negativeRatio) = (FloatBuffer(streams * rows * outputs), FloatBuffer(streams * rows * outputs))
        (positiveResult, negativeResult) = (FloatBuffer(streams * rows * inputs), FloatBuffer(streams * rows * inputs))
    }

    /// - Parameters:
    ///   - weight: W // [outputs, inputs]
    ///   - input: x of the forward pass. // [rows, inputs]
    ///   - relevance: of y. // [streams, rows, outputs]
    ///   - result: receives that of x; must not overlap `relevance`. // [streams, rows, inputs]
    func propagate(
        _ relevance: UnsafePointer<Float>, rules: [RelevanceRule], weight: UnsafePointer<Float>, outputs: Int,
        inputs: Int, input: UnsafePointer<Float>, rows: Int, into result: UnsafeMutablePointer<Float>
    ) {
        weights.split(weight, count: outputs * inputs)
        SignedWeights.split(
            input, count: rows * inputs, positive: positiveInput.base, negative: negativeInput.base)
        forward(positiveInput, weights.positive, rows, outputs, inputs, into: positiveOutput)
        forward(negativeInput, weights.negative, rows, outputs, inputs, into: negativeOutput)
        for (stream, rule) in rules.enumerated() {
            ratios(rule, relevance, offset: stream * rows * outputs, count: rows * outputs)
        }
        backward(positiveRatio, weights.positive, rules.count * rows, outputs, inputs, into: positiveResult)
        backward(negativeRatio, weights.negative, rules.count * rows, outputs, inputs, into: negativeResult)
        for stream in rules.indices {
            let start = stream * rows * inputs
            let (positive, negative) = (positiveResult.base + start, negativeResult.base + start)
            let target = result + start
            for i in 0..<rows * inputs {
                // Read before the choice, so that the loop has no branches.
                let (x, p, n) = (input[i], positive[i], negative[i])
                target[i] = x * (x > 0 ? p : n)
            }
        }
    }

    private func ratios(_ rule: RelevanceRule, _ relevance: UnsafePointer<Float>, offset: Int, count: Int) {
        let (r, s1, s2) = (relevance + offset, positiveRatio.base + offset, negativeRatio.base + offset)
        let (z1, z2) = (positiveOutput.base, negativeOutput.base)
        switch rule {
        case .modified:
            for i in 0..<count {
                let s = RelevanceRule.ratio(r[i], z1[i] + z2[i])
                s1[i] = s
                s2[i] = s
            }
        case .original:
            for i in 0..<count {
                s1[i] = RelevanceRule.ratio(r[i], z1[i])
                s2[i] = RelevanceRule.ratio(r[i], z2[i])
            }
        }
    }

    private func forward(
        _ x: FloatBuffer, _ w: FloatBuffer, _ rows: Int, _ outputs: Int, _ inputs: Int, into y: FloatBuffer
    ) {
        BLAS.multiply(
            rows, outputs, inputs, x.base, stride: inputs, w.base, stride: inputs, otherTransposed: true, into: y.base,
            stride: outputs)
    }

    private func backward(
        _ s: FloatBuffer, _ w: FloatBuffer, _ rows: Int, _ outputs: Int, _ inputs: Int, into c: FloatBuffer
    ) {
        BLAS.multiply(
            rows, inputs, outputs, s.base, stride: outputs, w.base, stride: inputs, into: c.base, stride: inputs)
    }
}

/// W⁺ and W⁻ of the matrix at hand. Cutting a matrix up costs little against its products, and keeping
/// both parts of every matrix would triple the memory of the model.
final class SignedWeights {
    /// max(W, 0) // [out, in]
    let positive: FloatBuffer
    /// min(W, 0) // [out, in]
    let negative: FloatBuffer

    init(capacity: Int) {
        (positive, negative) = (FloatBuffer(capacity), FloatBuffer(capacity))
    }

    func split(_ weight: UnsafePointer<Float>, count: Int) {
        Self.split(weight, count: count, positive: positive.base, negative: negative.base)
    }

    static func split(
        _ x: UnsafePointer<Float>, count: Int, positive: UnsafeMutablePointer<Float>,
        negative: UnsafeMutablePointer<Float>
    ) {
        for i in 0..<count {
            positive[i] = x[i] > 0 ? x[i] : 0
            negative[i] = x[i] < 0 ? x[i] : 0
        }
    }
}
