import DenseMath

/// The texts whose directions span what an attention head writes: algorithm 1 of Gandelsman, Efros and
/// Steinhardt, "Interpreting CLIP's Image Representation via Text-Based Decomposition" (arXiv 2310.05916).
///
/// With C the head's centred direct effects over images, and texts projected onto the leading right
/// singular vectors of C: take the text t with the largest variance of C t, remove its direction from C
/// and from all texts, and again. Texts keep their lengths, so that longer ones are preferred.
///
/// Only the covariance Σ is needed: the variance of C t is tᵀΣt. A text from which the chosen directions
/// were removed is orthogonal to them, so that Σ itself need not be deflated; and in the eigenbasis of Σ
/// the variance is Σ_i λ_i t_i², exactly and in memory independent of the number of images.
public struct TextSpan: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// Row of the text.
        public let text: Int32
        /// Share of the trace of Σ along this text and those before it, 0…1.
        public let explainedVariance: Float

        public init(text: Int32, explainedVariance: Float) {
            self.text = text
            self.explainedVariance = explainedVariance
        }
    }

    /// In the order in which they were chosen.
    public let entries: [Entry]
    /// What each chosen text adds to the span of those before it: orthonormal rows, within the leading directions
    /// of Σ onto which texts are projected. // [entries, d]
    public let directions: Tensor

    /// Eigenvalues below this share of the largest are rounding errors.
    private static let smallestEigenvalue = 1e-10
    /// A text of whose square less than this share is left lies in the span of those chosen: what remains
    /// is the rounding of its single-precision numbers, and its direction means nothing.
    private static let smallestRemainder = 1e-12

    /// - Parameters:
    ///   - covariance: Σ, from sums in double precision, see ``HeadMoments``. // [d, d]
    ///   - texts: in the joint space, of any length. // [texts, d]
    ///   - count: texts to choose at most; fewer if nothing is left to explain.
    ///   - rank: leading directions of Σ onto which texts are projected. The number of those with a variance
    ///     above rounding (at most the head's width) bounds it: a larger one means all of them.
    /// - Throws: `FactorisationError` when the covariance or a text is not finite.
    public init(covariance: [Double], texts: Tensor, count: Int, rank: Int) throws {
        precondition(texts.shape.count == 2 && covariance.count == texts.shape[1] * texts.shape[1])
        guard texts.elements.allSatisfy(\.isFinite) else { throw FactorisationError.notFinite }
        let d = texts.shape[1]
        guard min(count, rank, d) > 0 else {
            entries = []
            directions = Tensor(zeros: [0, d])
            return
        }
        var matrix = covariance
        let (values, vectors) = try Factorisations.largestEigenpairs(&matrix, count: d, keeping: min(rank, d))
        let eigenvalues = Array(values.prefix { $0 > 0 && $0 >= Self.smallestEigenvalue * values[0] })
        let coordinates = Self.coordinates(of: texts, along: vectors, count: eigenvalues.count)
        let trace = (0..<d).reduce(0) { $0 + covariance[$1 * d + $1] }
        let chosen = Self.choose(coordinates, eigenvalues: eigenvalues, trace: trace, count: count)
        entries = chosen.map(\.entry)
        var rows = [Double](repeating: 0, count: chosen.count * d)
        BLAS.multiply(
            chosen.count, d, eigenvalues.count, chosen.flatMap(\.direction), stride: eigenvalues.count, vectors,
            stride: d,
            into: &rows, stride: d)
        directions = Tensor(shape: [chosen.count, d], elements: rows.map(Float.init))
    }

    /// Texts in the basis of some orthonormal vectors. // [texts, count]
    private static func coordinates(of texts: Tensor, along vectors: [Double], count: Int) -> [Double] {
        let (M, d) = (texts.shape[0], texts.shape[1])
        var coordinates = [Double](repeating: 0, count: M * count)
        BLAS.multiply(
            M, count, d, texts.elements.map(Double.init), stride: d, vectors, stride: d, otherTransposed: true,
            into: &coordinates, stride: count)
        return coordinates
    }

    /// - Parameter coordinates: of all texts in the eigenbasis. // [texts, eigenvalues]
    /// - Returns: the entries, and their directions in the eigenbasis.
    private static func choose(
        _ coordinates: [Double], eigenvalues: [Double], trace: Double, count: Int
    ) -> [(entry: Entry, direction: [Double])] {
        let dimensions = eigenvalues.count
        guard dimensions > 0 else { return [] }
        let texts = coordinates.count / dimensions
        var remainder = coordinates
        var chosen: [(entry: Entry, direction: [Double])] = []
        var explained = 0.0
        remainder.withUnsafeMutableBufferPointer { t in
            func sum(_ row: Int, _ term: (Double, Int) -> Double) -> Double {
                (0..<dimensions).reduce(0) { $0 + term(t[row * dimensions + $1], $1) }
            }
            let squares = (0..<texts).map { sum($0) { x, _ in x * x } }
            while chosen.count < min(count, dimensions) {
                var (best, variance) = (-1, 0.0)
                for text in 0..<texts {
                    let own = sum(text) { x, i in eigenvalues[i] * x * x }
                    if own > variance { (best, variance) = (text, own) }
                }
                guard best >= 0 else { return }
                let length = sum(best) { x, _ in x * x }.squareRoot()
                let direction = (0..<dimensions).map { t[best * dimensions + $0] / length }
                explained += variance / (length * length)
                chosen.append((Entry(text: Int32(best), explainedVariance: Float(explained / trace)), direction))
                for text in 0..<texts {
                    let along = sum(text) { x, i in direction[i] * x }
                    for i in 0..<dimensions { t[text * dimensions + i] -= along * direction[i] }
                    if sum(text, { x, _ in x * x }) <= smallestRemainder * squares[text] {
                        for i in 0..<dimensions { t[text * dimensions + i] = 0 }
                    }
                }
            }
        }
        return chosen
    }
}
