import DenseMath
import Foundations

/// The Gaussian with the mean and covariance of some vectors.
public struct GaussianVectors: Sendable {
    /// // [d]
    private let mean: [Float]
    /// R with RᵀR the covariance. // [d, d]
    private let factor: Tensor

    /// - Parameter vectors: at least one. // [n, d]
    /// - Throws: `FactorisationError` for vectors that are not finite.
    public init(like vectors: Tensor) throws {
        let (n, d) = (vectors.shape[0], vectors.shape[1])
        let mean = vectors.columnMeans.map(Float.init)
        var centred = vectors
        for row in 0..<n { for j in 0..<d { centred.elements[row * d + j] -= mean[j] } }
        var covariance = [Float](repeating: 0, count: d * d)
        BLAS.multiply(
            d, d, n, alpha: 1 / Float(n), centred.elements, stride: d, transposed: true, centred.elements, stride: d,
            into: &covariance, stride: d)
        var factor = Tensor(zeros: [d, d])
        try factor.elements.withUnsafeMutableBufferPointer { factor in
            guard let base = factor.baseAddress else { return }
            try Factorisations.cholesky(covariance, count: d, into: base)
        }
        (self.mean, self.factor) = (mean, factor)
    }

    /// Independent draws. // [count, d]
    public func callAsFunction(_ count: Int, _ random: inout SplitMix64) -> Tensor {
        let d = mean.count
        var drawn = Tensor(shape: [count, d], elements: random.normals(count * d)).times(factor)
        for row in 0..<count { for j in 0..<d { drawn.elements[row * d + j] += mean[j] } }
        return drawn
    }
}

extension Tensor {
    /// The mean of each column of a matrix, added up in double precision. // [m, n] → [n]
    var columnMeans: [Double] {
        let (count, d) = (shape[0], shape[1])
        var means = [Double](repeating: 0, count: d)
        for row in 0..<count { for j in 0..<d { means[j] += Double(elements[row * d + j]) / Double(count) } }
        return means
    }
}
