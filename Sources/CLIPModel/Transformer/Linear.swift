import DenseMath

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
