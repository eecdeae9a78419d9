import CBLAS

/// What LAPACK may refuse. Facts only.
public enum FactorisationError: Error, Equatable, Sendable {
    case notPositiveDefinite(leadingMinor: Int)
    case eigenvaluesNotFound(info: Int)
    case notFinite
}

/// LAPACK's factorisations, on row-major matrices.
public enum Factorisations {
    /// R with Rᵀ R = G + jitter, upper triangular. // [n, n]
    ///
    /// Gram matrices of nearly dependent vectors are singular in single precision; if they are,
    /// a multiple of the mean diagonal is added, starting at one rounding error and ten times more at each try.
    /// - Parameter gram: symmetric and positive semi-definite. // [n, n]
    /// - Throws: ``FactorisationError/notPositiveDefinite(leadingMinor:)``, ``FactorisationError/notFinite``.
    public static func cholesky(_ gram: UnsafePointer<Float>, count n: Int, into r: UnsafeMutablePointer<Float>) throws
    {
        var trace: Float = 0
        for i in 0..<n { trace += gram[i * n + i] }
        guard trace.isFinite else { throw FactorisationError.notFinite }
        var jitter: Float = 0
        for attempt in 0...5 {
            r.update(from: gram, count: n * n)
            for i in 0..<n { r[i * n + i] += jitter }
            // Row-major upper is Fortran's column-major lower.
            var (order, lda, info) = (Int32(n), Int32(n), Int32(0))
            spotrf_("L", &order, r, &lda, &info)
            if info == 0 {
                for i in 0..<n { for j in 0..<i { r[i * n + j] = 0 } }
                return
            }
            guard info > 0, attempt < 5 else { throw FactorisationError.notPositiveDefinite(leadingMinor: Int(info)) }
            jitter = jitter == 0 ? max(trace / Float(n), .leastNormalMagnitude) * .ulpOfOne : jitter * 10
        }
    }

    /// The largest eigenvalue of a symmetric matrix and its unit eigenvector.
    /// - Parameter matrix: overwritten. // [n, n]
    /// - Throws: ``FactorisationError/eigenvaluesNotFound(info:)``, ``FactorisationError/notFinite``.
    public static func largestEigenpair(_ matrix: inout [Double], count n: Int) throws -> (
        value: Double, vector: [Double]
    ) {
        let (values, vectors) = try largestEigenpairs(&matrix, count: n, keeping: 1)
        return (values[0], vectors)
    }

    /// The largest eigenvalues of a symmetric matrix, largest first, and their orthonormal eigenvectors.
    /// - Parameters:
    ///   - matrix: overwritten. // [n, n]
    ///   - kept: how many, 1…n.
    /// - Returns: values // [kept], vectors // [kept, n]
    /// - Throws: ``FactorisationError/eigenvaluesNotFound(info:)``, ``FactorisationError/notFinite``.
    public static func largestEigenpairs(
        _ matrix: inout [Double], count n: Int, keeping kept: Int
    ) throws -> (values: [Double], vectors: [Double]) {
        precondition(kept > 0 && kept <= n && matrix.count == n * n)
        guard matrix.allSatisfy(\.isFinite) else { throw FactorisationError.notFinite }
        var order = Int32(n)
        var (lower, upper, tolerance) = (0.0, 0.0, 0.0)
        var (first, last) = (Int32(n - kept + 1), Int32(n))
        var (found, info) = (Int32(0), Int32(0))
        var values = [Double](repeating: 0, count: n)
        var vectors = [Double](repeating: 0, count: n * kept)
        var support = [Int32](repeating: 0, count: 2 * kept)
        var workCount = Int32(26 * n + 64 * n)
        var work = [Double](repeating: 0, count: Int(workCount))
        var integerCount = Int32(10 * n)
        var integers = [Int32](repeating: 0, count: Int(integerCount))
        var (stride, vectorStride) = (order, order)
        dsyevr_(
            "V", "I", "U", &order, &matrix, &stride, &lower, &upper, &first, &last, &tolerance, &found, &values,
            &vectors,
            &vectorStride, &support, &work, &workCount, &integers, &integerCount, &info)
        guard info == 0, found == kept else { throw FactorisationError.eigenvaluesNotFound(info: Int(info)) }
        // LAPACK's are smallest first, one vector a column-major column.
        return (values[..<kept].reversed(), (0..<kept).reversed().flatMap { vectors[$0 * n..<($0 + 1) * n] })
    }
}
