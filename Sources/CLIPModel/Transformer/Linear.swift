import DenseMath
import Synchronization

/// y = x Wᵀ + b
public struct Linear: Sendable {
    /// // [out, in]
    public let weight: Tensor
    /// // [out]
    public let bias: [Float]
    /// Of weights and inputs when they are multiplied.
    public let precision: Precision
    /// What multiplies.
    package let library: LinearLibrary
    private let packing: WeightPacking

    public var inputs: Int { weight.shape[1] }
    public var outputs: Int { weight.shape[0] }

    public init(weight: Tensor, bias: [Float], precision: Precision = .fp32) {
        self.init(weight: weight, bias: bias, precision: precision, library: .current)
    }

    package init(weight: Tensor, bias: [Float], precision: Precision, library: LinearLibrary) {
        precondition(weight.shape.count == 2 && weight.shape[0] == bias.count)
        self.weight = weight
        self.bias = bias
        self.precision = precision
        self.library = library
        packing = WeightPacking()
    }

    /// The layer with its products in another precision.
    public func with(_ precision: Precision) -> Linear {
        Linear(weight: weight, bias: bias, precision: precision, library: library)
    }

    /// The layer with its products by another library than the process chose, to hold one against the other.
    package func with(_ library: LinearLibrary) -> Linear {
        Linear(weight: weight, bias: bias, precision: precision, library: library)
    }

    /// y ← activation(x Wᵀ + b), or y + x Wᵀ + b // x [rows, in], y [rows, out]
    package func callAsFunction(
        _ x: UnsafePointer<Float>, rows: Int, activation: Activation? = nil, accumulating: Bool = false,
        into y: UnsafeMutablePointer<Float>
    ) {
        precondition(activation == nil || !accumulating, "what is added to has no activation of its own")
        if let packed,
            packed.multiply(x, rows: rows, addsBias: true, activation: activation, accumulating: accumulating, into: y)
        {
            return
        }
        multiplyPlain(x, rows: rows, accumulating: accumulating, into: y)
        if let activation {
            RowKernels.activate(activation, y, bias: bias, rows: rows, columns: outputs)
        } else {
            RowKernels.add(bias: bias, to: y, rows: rows, columns: outputs)
        }
    }

    /// y ← x Wᵀ, without the bias.
    package func multiply(_ x: UnsafePointer<Float>, rows: Int, into y: UnsafeMutablePointer<Float>) {
        if let packed, packed.multiply(x, rows: rows, addsBias: false, into: y) { return }
        multiplyPlain(x, rows: rows, accumulating: false, into: y)
    }

    /// The packed weights; nil where OpenBLAS multiplies.
    package var packed: PackedLinear? { library == .openBLAS ? nil : packing.packed(self) }

    private func multiplyPlain(
        _ x: UnsafePointer<Float>, rows: Int, accumulating: Bool, into y: UnsafeMutablePointer<Float>
    ) {
        func multiply(_ x: UnsafePointer<Float>, _ weight: Tensor) {
            BLAS.multiply(
                rows, outputs, inputs, x, stride: inputs, weight.elements, stride: inputs, otherTransposed: true,
                beta: accumulating ? 1 : 0, into: y, stride: outputs)
        }
        guard precision == .bf16 else { return multiply(x, weight) }
        let rounded = FloatBuffer(rows * inputs)
        precision.rounded(x, count: rows * inputs, into: rounded.base)
        multiply(rounded.base, packing.rounded(self))
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
            x, gamma: weight, beta: bias, epsilon: epsilon, rows: rows, columns: width, into: out, mean: mean,
            sigma: sigma)
    }
}

/// The weights of a linear layer as its library wants them, made when they are first used: a model whose texts alone
/// are embedded does not pack its image tower.
final class WeightPacking: Sendable {
    private let state = Mutex(State())

    private struct State {
        /// Nil before the first use; then what came of it.
        var packed: PackedLinear??
        var rounded: Tensor?
    }

    /// - Returns: nil where the library refuses the layer.
    func packed(_ linear: Linear) -> PackedLinear? {
        state.withLock { state in
            if let packed = state.packed { return packed }
            let packed = PackedLinear(weight: linear.weight, bias: linear.bias, precision: linear.precision)
            state.packed = .some(packed)
            return packed
        }
    }

    /// The weights rounded to bf16, in single precision.
    func rounded(_ linear: Linear) -> Tensor {
        state.withLock { state in
            if let rounded = state.rounded { return rounded }
            var rounded = linear.weight
            Precision.bf16.rounded(linear.weight.elements, count: linear.weight.elements.count, into: &rounded.elements)
            state.rounded = rounded
            return rounded
        }
    }
}
