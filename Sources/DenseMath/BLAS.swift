import CBLAS
import CDNNL
import Foundation

/// Products of row-major matrices through OpenBLAS.
public enum BLAS {
    /// One thread a call: work is spread over shards of images, each on a worker of its own, and the
    /// order of additions must not depend on how many there are.
    public static func useOneThread() { openblas_set_num_threads(1) }

    public static var threads: Int { Int(openblas_get_num_threads()) }

    /// The kernel set that OpenBLAS chose for this CPU, such as "SkylakeX" or "Haswell".
    public static var coreName: String { String(cString: openblas_get_corename()) }

    /// The library's own description of its build, with its version.
    public static var description: String { String(cString: openblas_get_config()) }

    /// C ← α op(A) op(B) + β C, with op(A) m×k, op(B) k×n and C m×n; a `stride` is the distance of rows.
    @inline(__always)
    public static func multiply(
        _ m: Int, _ n: Int, _ k: Int, alpha: Float = 1,
        _ a: UnsafePointer<Float>, stride aStride: Int, transposed aTransposed: Bool = false,
        _ b: UnsafePointer<Float>, stride bStride: Int, otherTransposed bTransposed: Bool = false,
        beta: Float = 0, into c: UnsafeMutablePointer<Float>, stride cStride: Int
    ) {
        guard m > 0, n > 0 else { return }
        KernelProfile.measure(.product, operations: 2 * m * n * k, values: m * k + k * n + m * n) {
            cblas_sgemm(
                CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
                blasint(m), blasint(n), blasint(k), alpha, a, blasint(aStride), b, blasint(bStride), beta, c,
                blasint(cStride))
        }
    }

    /// C ← op(A) op(B) + β C in double precision.
    @inline(__always)
    public static func multiply(
        _ m: Int, _ n: Int, _ k: Int,
        _ a: UnsafePointer<Double>, stride aStride: Int, transposed aTransposed: Bool = false,
        _ b: UnsafePointer<Double>, stride bStride: Int, otherTransposed bTransposed: Bool = false,
        beta: Double = 0, into c: UnsafeMutablePointer<Double>, stride cStride: Int
    ) {
        guard m > 0, n > 0 else { return }
        KernelProfile.measure(.doubleProduct, operations: 2 * m * n * k, values: m * k + k * n + m * n, width: 8) {
            cblas_dgemm(
                CblasRowMajor, aTransposed ? CblasTrans : CblasNoTrans, bTransposed ? CblasTrans : CblasNoTrans,
                blasint(m), blasint(n), blasint(k), 1, a, blasint(aStride), b, blasint(bStride), beta, c,
                blasint(cStride))
        }
    }

    /// y ← α A x + β y, A m×n row-major.
    public static func multiply(
        _ m: Int, _ n: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, stride: Int,
        transposed: Bool = false, vector x: UnsafePointer<Float>, beta: Float = 0,
        into y: UnsafeMutablePointer<Float>
    ) {
        KernelProfile.measure(.product, operations: 2 * m * n, values: m * n + m + n) {
            cblas_sgemv(
                CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, blasint(m), blasint(n), alpha, a,
                blasint(stride), x, 1,
                beta, y, 1)
        }
    }

    /// y ← y + α x
    public static func add(_ alpha: Float, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>, count: Int) {
        KernelProfile.measure(.rows, operations: 2 * count, values: 3 * count) {
            cblas_saxpy(blasint(count), alpha, x, 1, y, 1)
        }
    }

    public static func dot(_ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>, count: Int) -> Float {
        cblas_sdot(blasint(count), x, 1, y, 1)
    }
}

extension Tensor {
    /// The product of two matrices, the second optionally transposed.
    /// // [m, k] · [k, n] or [m, k] · [n, k]ᵀ → [m, n]
    public func times(_ other: Tensor, transposed: Bool = false) -> Tensor {
        precondition(shape.count == 2 && other.shape.count == 2, "only matrices have a product")
        let (m, k) = (shape[0], shape[1])
        let n = transposed ? other.shape[0] : other.shape[1]
        precondition(k == (transposed ? other.shape[1] : other.shape[0]), "\(shape) does not fit \(other.shape)")
        var result = Tensor(zeros: [m, n])
        BLAS.multiply(
            m, n, k, elements, stride: k, other.elements, stride: other.shape[1], otherTransposed: transposed,
            into: &result.elements, stride: n)
        return result
    }
}

/// Which library multiplies by the weights of linear layers: decided here, once a process.
///
/// oneDNN with packed weights where it is installed and has kernels for the CPU, else OpenBLAS. Numbers agree to
/// rounding; with one library they do not depend on workers.
public enum LinearLibrary: Sendable, Equatable {
    case oneDNN(version: String, instructionSet: String)
    case openBLAS

    /// Set to `openblas`, it takes OpenBLAS where there is oneDNN: to compare them, or should one misbehave.
    public static let environmentVariable = "CLIP_LENS_LINEAR"

    public static let current: LinearLibrary = {
        guard ProcessInfo.processInfo.environment[environmentVariable] != "openblas" else { return .openBLAS }
        return oneDNN ?? .openBLAS
    }()

    /// oneDNN, where it can be used.
    public static var oneDNN: LinearLibrary? {
        guard let version = cl_dnnl_version(), let instructionSet = cl_dnnl_instruction_set() else { return nil }
        return .oneDNN(version: String(cString: version), instructionSet: String(cString: instructionSet))
    }

    /// Such as "oneDNN 2.6.3 avx512_core_bf16"; OpenBLAS with its own choice of kernels.
    public var description: String {
        switch self {
        case .oneDNN(let version, let instructionSet): "oneDNN \(version) \(instructionSet)"
        case .openBLAS: "OpenBLAS \(BLAS.coreName)"
        }
    }
}
