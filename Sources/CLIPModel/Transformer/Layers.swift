import DenseMath

/// y = x Wᵀ + b
public struct Linear: Sendable {
    /// // [out, in]
    public let weight: Tensor
    /// // [out]
    public let bias: [Float]

    public var inputs: Int { weight.shape[1] }
    public var outputs: Int { weight.shape[0] }

    public init(weight: Tensor, bias: [Float]) {
        precondition(weight.shape.count == 2 && weight.shape[0] == bias.count)
        self.weight = weight
        self.bias = bias
    }

    /// y ← x Wᵀ + β y, without the bias, which the caller fuses into what follows.
    @inline(__always)
    package func multiply(_ x: UnsafePointer<Float>, rows: Int, accumulating: Bool = false, into y: UnsafeMutablePointer<Float>) {
        BLAS.multiply(
            rows, outputs, inputs, x, stride: inputs, weight.elements, stride: inputs, otherTransposed: true,
            beta: accumulating ? 1 : 0, into: y, stride: outputs)
    }
}

/// γ (x − μ)/σ + β, σ = sqrt(variance + ε)
public struct LayerNorm: Sendable {
    /// γ // [width]
    public let weight: [Float]
    /// β // [width]
    public let bias: [Float]
    public let epsilon: Float

    public var width: Int { weight.count }

    public init(weight: [Float], bias: [Float], epsilon: Float) {
        precondition(weight.count == bias.count)
        self.weight = weight
        self.bias = bias
        self.epsilon = epsilon
    }

    /// Normalises rows and keeps their statistics.
    @inline(__always)
    package func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, into out: UnsafeMutablePointer<Float>,
        mean: UnsafeMutablePointer<Float>, sigma: UnsafeMutablePointer<Float>
    ) {
        RowKernels.layerNorm(
            x, gamma: weight, beta: bias, epsilon: epsilon, rows: rows, columns: width, into: out, mean: mean, sigma: sigma)
    }
}
