import DenseMath

/// The centred head coordinates of one layer for one batch, and the norms of the centred effects:
///
///     ‖φ_n − φ̄_n‖² = ‖R_n δs‖² + 2 Σ_k δs_k (u_{n,k} · output_k δb) + ‖δb‖²
///
/// Belongs to one worker.
public final class CentredEffects {
    public let lens: SecondOrderLens
    private let factors: Tensor
    private let means: EffectMeans
    /// δs. // [N, batch, K]
    public let coordinates: FloatBuffer
    /// δb. // [batch, d]
    public let biasShares: FloatBuffer
    /// ‖φ_n − φ̄_n‖. // [N, batch]
    public let norms: FloatBuffer
    /// b. // [batch, d]
    let rawBiasShares: FloatBuffer
    private let biasReads: FloatBuffer
    private let biasSquares: FloatBuffer
    private let crossTerms: FloatBuffer
    private let rotated: FloatBuffer
    private let products: FloatBuffer

    /// Neurons whose intermediate products stay in the cache together.
    private static let chunk = 64

    /// - Parameter factors: ``SecondOrderLens/choleskyFactors()``, shared by all workers. // [N, K, K]
    public init(_ lens: SecondOrderLens, factors: Tensor, means: EffectMeans, capacity: Int) {
        self.lens = lens
        self.factors = factors
        self.means = means
        let K = lens.headCount
        coordinates = FloatBuffer(lens.neurons * capacity * K)
        biasShares = FloatBuffer(capacity * lens.embeddingWidth)
        rawBiasShares = FloatBuffer(capacity * lens.embeddingWidth)
        norms = FloatBuffer(lens.neurons * capacity)
        biasReads = FloatBuffer(capacity * K * lens.headWidth)
        biasSquares = FloatBuffer(capacity)
        crossTerms = FloatBuffer(Self.chunk * K * capacity)
        rotated = FloatBuffer(capacity * K)
        products = FloatBuffer(2 * capacity)
    }

    /// Evaluates the batch that `pass` has just run.
    public func update(_ pass: EffectPass) {
        let (batch, K, d, headWidth) = (pass.batch, lens.headCount, lens.embeddingWidth, lens.headWidth)
        pass.coordinates(lens, into: coordinates.base)
        pass.biasShares(lens, into: rawBiasShares.base)
        biasShares.base.update(from: rawBiasShares.base, count: batch * d)
        RowKernels.subtract(row: means.biasShare, from: biasShares.base, rows: batch, columns: d)
        RowKernels.rowSquares(biasShares.base, rows: batch, columns: d, stride: d, into: biasSquares.base)
        // output_k δb. // [batch, K · d_h]
        BLAS.multiply(
            batch, K * headWidth, d, biasShares.base, stride: d, lens.outputs.elements, stride: d, otherTransposed: true,
            into: biasReads.base, stride: K * headWidth)
        means.coordinates.elements.withUnsafeBufferPointer { means in
            lens.neuronValues.elements.withUnsafeBufferPointer { values in
                factors.elements.withUnsafeBufferPointer { factors in
                    guard let means = means.baseAddress, let values = values.baseAddress, let factors = factors.baseAddress
                    else { return }
                    for start in stride(from: 0, to: lens.neurons, by: Self.chunk) {
                        let range = start..<min(start + Self.chunk, lens.neurons)
                        crossProducts(range, values, batch: batch)
                        for n in range {
                            norms(of: n, first: start, means: means, factors: factors, batch: batch)
                        }
                    }
                }
            }
        }
    }

    /// u_{n,k} · output_k δb for a chunk of neurons. // [neurons, K, batch]
    private func crossProducts(_ range: Range<Int>, _ values: UnsafePointer<Float>, batch: Int) {
        let (K, headWidth) = (lens.headCount, lens.headWidth)
        let width = K * headWidth
        for k in 0..<K {
            BLAS.multiply(
                range.count, batch, headWidth, values + range.lowerBound * width + k * headWidth, stride: width,
                biasReads.base + k * headWidth, stride: width, otherTransposed: true,
                into: crossTerms.base + k * batch, stride: K * batch)
        }
    }

    private func norms(of n: Int, first: Int, means: UnsafePointer<Float>, factors: UnsafePointer<Float>, batch: Int) {
        let K = lens.headCount
        let s = coordinates.base + n * batch * K
        RowKernels.subtract(row: means + n * K, from: s, rows: batch, columns: K)
        BLAS.multiply(
            batch, K, K, s, stride: K, factors + n * K * K, stride: K, otherTransposed: true, into: rotated.base, stride: K)
        RowKernels.rowSquares(rotated.base, rows: batch, columns: K, stride: K, into: products.base)
        let cross = products.base + batch
        RowKernels.productDiagonal(s, crossTerms.base + (n - first) * K * batch, rows: batch, columns: K, into: cross)
        for image in 0..<batch {
            let square = products.base[image] + 2 * cross[image] + biasSquares.base[image]
            // Rounding may leave a tiny negative number where the effect equals its mean.
            norms.base[n * batch + image] = max(square, 0).squareRoot()
        }
    }
}
