import DenseMath
import Foundations

/// Phrases in which directions of the joint space are written, with their embeddings.
public struct TextPool: Sendable, Equatable {
    public let phrases: [String]
    /// Unit rows; those of a random dictionary have other lengths. // [phrases, d]
    public let embeddings: Tensor
    /// What matching pursuit chooses from: ``standardised(_:)`` of the embeddings. // [phrases, d]
    public let dictionary: Tensor

    /// - Precondition: one row for each phrase.
    public init(phrases: [String], embeddings: Tensor) {
        precondition(embeddings.shape.first == phrases.count)
        self.phrases = phrases
        self.embeddings = embeddings
        dictionary = Self.standardised(embeddings)
    }

    /// Embeddings less their mean over the pool, unit rows; zeros for a phrase at the mean itself. // [phrases, d]
    ///
    /// All texts of a CLIP lie close together; less their mean, unrelated ones have a cosine of 0 on average.
    public var centred: Tensor { centred(embeddings) }

    /// Cosines of all phrases with a text, both less the mean of the pool.
    /// - Parameter text: a unit vector. // [d]
    /// - Returns: // [phrases]
    public func centredSimilarities(with text: ArraySlice<Float>) -> [Float] {
        let target = centred(Tensor(shape: [1, text.count], elements: Array(text)))
        return centred.times(target, transposed: true).elements
    }

    private func centred(_ rows: Tensor) -> Tensor {
        let (mean, d) = (embeddings.columnMeans, embeddings.shape[1])
        var result = rows
        for index in result.elements.indices {
            result.elements[index] = Float(Double(rows.elements[index]) - mean[index % d])
        }
        return result.rowsNormalised()
    }

    /// Embeddings less their mean over the pool, each dimension divided by its norm over the pool, times
    /// 100. The rows are not of unit length: pursuit favours phrases that stand out of the pool.
    ///
    /// Source: arXiv 2406.04341, section 5.1, and its public implementation. A dimension without
    /// any spread stays zero.
    public static func standardised(_ embeddings: Tensor) -> Tensor {
        let (count, d) = (embeddings.shape[0], embeddings.shape[1])
        let means = embeddings.columnMeans
        var norms = [Double](repeating: 0, count: d)
        // Not told by the norm: rounding leaves something of equal numbers less their mean.
        let hasSpread = (0..<d).map { j in
            (0..<count).contains { embeddings.elements[$0 * d + j] != embeddings.elements[j] }
        }
        for row in 0..<count {
            for j in 0..<d {
                let centred = Double(embeddings.elements[row * d + j]) - means[j]
                norms[j] += centred * centred
            }
        }
        var result = embeddings
        for row in 0..<count {
            for j in 0..<d {
                let centred = Double(embeddings.elements[row * d + j]) - means[j]
                result.elements[row * d + j] =
                    hasSpread[j] && norms[j] > 0 ? Float(100 * centred / norms[j].squareRoot()) : 0
            }
        }
        return result
    }
}

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
