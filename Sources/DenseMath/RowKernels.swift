import CKernels

/// Elementwise and row-wise operations on row-major matrices in place.
public enum RowKernels {
    /// x[i][j] ← x[i][j] + bias[j]
    @inline(__always)
    public static func add(bias: UnsafePointer<Float>, to x: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
        KernelProfile.measure(.rows, operations: rows * columns, values: 2 * rows * columns) {
            ck_add_bias(x, bias, rows, columns)
        }
    }

    /// x[i][j] ← activation(x[i][j] + bias[j])
    @inline(__always)
    public static func activate(
        _ activation: Activation, _ x: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>, rows: Int, columns: Int
    ) {
        KernelProfile.measure(.activation, operations: 20 * rows * columns, values: 2 * rows * columns) {
            switch activation {
            case .quickGELU: ck_bias_quick_gelu(x, bias, rows, columns)
            case .gelu: ck_bias_gelu(x, bias, rows, columns)
            }
        }
    }

    /// Layer normalisation by row: out = γ (x − μ)/σ + β, σ = sqrt(variance + ε).
    /// - Parameters:
    ///   - mean: receives μ. // [rows]
    ///   - sigma: receives σ. // [rows]
    @inline(__always)
    public static func layerNorm(
        _ x: UnsafePointer<Float>, gamma: UnsafePointer<Float>, beta: UnsafePointer<Float>, epsilon: Float,
        rows: Int, columns: Int, into out: UnsafeMutablePointer<Float>,
        mean: UnsafeMutablePointer<Float>, sigma: UnsafeMutablePointer<Float>
    ) {
        KernelProfile.measure(.layerNorm, operations: 8 * rows * columns, values: 2 * rows * columns) {
            ck_layer_norm(x, gamma, beta, epsilon, rows, columns, out, mean, sigma)
        }
    }

    /// Each row of scale·x becomes its softmax, scale > 0; with `causal`, row i sees columns 0…i only.
    @inline(__always)
    public static func softmax(_ x: UnsafeMutablePointer<Float>, rows: Int, columns: Int, scale: Float, causal: Bool) {
        KernelProfile.measure(.softmax, operations: 20 * rows * columns, values: 2 * rows * columns) {
            ck_softmax(x, rows, columns, scale, causal ? 1 : 0)
        }
    }

    /// out[i] ← Σ_j x[i][j]²
    @inline(__always)
    public static func rowSquares(
        _ x: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int, into out: UnsafeMutablePointer<Float>
    ) {
        KernelProfile.measure(.rows, operations: 2 * rows * columns, values: rows * columns) {
            ck_row_squares(x, rows, columns, stride, out)
        }
    }

    /// x[i][j] ← x[i][j] − row[j]
    @inline(__always)
    public static func subtract(row: UnsafePointer<Float>, from x: UnsafeMutablePointer<Float>, rows: Int, columns: Int)
    {
        KernelProfile.measure(.rows, operations: rows * columns, values: 2 * rows * columns) {
            ck_subtract_row(x, row, rows, columns)
        }
    }
}

/// The non-linearity between the two matrices of an MLP, by its name in a model's `hidden_act`.
///
/// Which one a checkpoint was trained with cannot be seen from its weights, and the other gives
/// embeddings that are plausible and wrong.
public enum Activation: String, CaseIterable, Codable, Hashable, Sendable {
    /// x · sigmoid(1.702 x): OpenAI's models.
    case quickGELU = "quick_gelu"
    /// x · Φ(x), with the error function and no approximation: most of OpenCLIP's models.
    case gelu
}

extension Sequence where Element: FloatingPoint {
    /// The largest magnitude; NaN if any element is NaN, zero if there is none.
    ///
    /// `max` forgets a NaN that comes second, so a check built on it would pass on broken numbers.
    public func largestMagnitude() -> Element {
        reduce(0) { largest, value in
            largest.isNaN || value.isNaN ? .nan : Swift.max(largest, value.magnitude)
        }
    }
}
