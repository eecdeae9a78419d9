import CDNNL
import CKernels

/// How the numbers that linear layers multiply are kept; products are added up in single precision either way.
public enum Precision: String, Sendable, CaseIterable {
    case fp32
    /// Weights and inputs of linear layers rounded to 8 bits of mantissa.
    case bf16
}

/// A matrix of weights and a bias, packed for the library that multiplies by them.
///
/// Many threads may use one at a time: what a product writes beside its result is the thread's own.
public final class PackedLinear: @unchecked Sendable {
    public let inputs, outputs: Int
    public let precision: Precision
    private let handle: OpaquePointer

    /// - Parameters:
    ///   - weight: // [outputs, inputs]
    ///   - bias: // [outputs]
    /// - Returns: nil where oneDNN is not there or refuses the shape.
    public init?(weight: Tensor, bias: [Float], precision: Precision) {
        precondition(weight.shape.count == 2 && weight.shape[0] == bias.count, "\(weight.shape) with \(bias.count)")
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        self.precision = precision
        guard let handle = cl_packed_linear_create(weight.elements, bias, inputs, outputs, precision.type) else {
            return nil
        }
        self.handle = handle
    }

    deinit { cl_packed_linear_free(handle) }

    /// y ← activation(x Wᵀ + b), or y + that. // x [rows, inputs], y [rows, outputs]
    /// - Parameters:
    ///   - x: of `xPrecision`; bf16 only for weights of it.
    ///   - accumulating: adds to y, which is then in single precision.
    /// - Returns: false where the library has no kernel for the product or no memory; then y is as it was.
    public func multiply(
        _ x: UnsafeRawPointer, _ xPrecision: Precision = .fp32, rows: Int, addsBias: Bool,
        activation: Activation? = nil,
        accumulating: Bool = false, into y: UnsafeMutableRawPointer, _ yPrecision: Precision = .fp32
    ) -> Bool {
        let product = cl_product(
            rows: rows, with_bias: addsBias ? 1 : 0, activation: activation.kind, accumulate: accumulating ? 1 : 0,
            x_type: xPrecision.type, y_type: yPrecision.type)
        return KernelProfile.measure(
            precision == .bf16 ? .roundedLinear : .linear, operations: 2 * rows * inputs * outputs,
            values: (rows * inputs + inputs * outputs + rows * outputs) / (precision == .bf16 ? 2 : 1)
        ) { cl_packed_linear_run(handle, product, x, y) == 0 }
    }
}

extension Precision {
    fileprivate var type: cl_type {
        switch self {
        case .fp32: cl_float32
        case .bf16: cl_bfloat16
        }
    }

    /// Rounded to what linear layers multiply.
    public func rounded(_ values: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Float>) {
        switch self {
        case .fp32: result.update(from: values, count: count)
        case .bf16:
            withUnsafeTemporaryAllocation(of: UInt16.self, capacity: count) { bits in
                guard let base = bits.baseAddress else { return }
                ck_round_to_bfloat16(values, count, base)
                for index in 0..<count { result[index] = Float(bitPattern: UInt32(base[index]) << 16) }
            }
        }
    }
}

extension Activation? {
    fileprivate var kind: cl_activation {
        switch self {
        case nil: cl_no_activation
        case .quickGELU: cl_quick_gelu
        case .gelu: cl_gelu
        }
    }
}

/// Upper triangular matrices in the layout in which products with them are fastest: no zeros below the
/// diagonal (but for the padding of panels), read from the first number to the last.
public enum PackedTriangle {
    /// Numbers that an n×n triangle takes.
    public static func count(_ n: Int) -> Int { ck_packed_triangle_count(n) }

    /// - Parameters:
    ///   - r: upper triangular. // [n, n]
    ///   - packed: receives ``count(_:)`` numbers.
    public static func pack(_ r: UnsafePointer<Float>, count n: Int, into packed: UnsafeMutablePointer<Float>) {
        ck_pack_triangle(r, n, packed)
    }

    /// out[b] ← ‖R x_b‖². The bytes of an image do not depend on how many run together.
    /// - Parameters:
    ///   - packed: R.
    ///   - x: // [rows, n]
    @inline(__always)
    public static func squares(
        _ packed: UnsafePointer<Float>, count n: Int, _ x: UnsafePointer<Float>, rows: Int,
        into out: UnsafeMutablePointer<Float>
    ) {
        KernelProfile.measure(.triangle, operations: rows * n * (n + 1), values: self.count(n) + rows * n) {
            ck_triangle_squares(packed, n, x, rows, out)
        }
    }
}
