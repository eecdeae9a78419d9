import DenseMath

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
            x, gamma: weight, beta: bias, epsilon: epsilon, rows: rows, columns: width, into: out, mean: mean,
            sigma: sigma)
    }
}
