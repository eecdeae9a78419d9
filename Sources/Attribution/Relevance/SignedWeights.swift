import DenseMath

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
