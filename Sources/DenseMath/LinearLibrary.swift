import CDNNL
import Foundation

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
