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
    /// ‖φ_n − φ̄_n‖ after ``evaluateNorms()``. // [N, batch]
    public let norms: FloatBuffer
    /// b. // [batch, d]
    let rawBiasShares: FloatBuffer
    /// ‖R_n δs‖. // [N, batch]
    private let coordinateNorms: FloatBuffer
    /// ‖δb‖. // [batch]
    private let biasNorms: FloatBuffer
    /// output_k δb. // [batch, K · d_h]
    private let biasReads: FloatBuffer
    private let crossTerms: FloatBuffer
    private let products: FloatBuffer
    private var batch = 0

    /// Neurons whose values and intermediate products stay in a core's own cache.
    private static let chunk = 16

    /// - Parameter factors: ``SecondOrderLens/choleskyFactors()``, shared by all workers. // [N, packed]
    public init(_ lens: SecondOrderLens, factors: Tensor, means: EffectMeans, capacity: Int) {
        self.lens = lens
        self.factors = factors
        self.means = means
        let K = lens.headCount
        coordinates = FloatBuffer(lens.neurons * capacity * K)
        biasShares = FloatBuffer(capacity * lens.embeddingWidth)
        rawBiasShares = FloatBuffer(capacity * lens.embeddingWidth)
        norms = FloatBuffer(lens.neurons * capacity)
        coordinateNorms = FloatBuffer(lens.neurons * capacity)
        biasNorms = FloatBuffer(capacity)
        biasReads = FloatBuffer(capacity * K * lens.headWidth)
        crossTerms = FloatBuffer(Self.chunk * K * capacity)
        products = FloatBuffer(capacity)
    }

    /// Evaluates δs, δb and what norms are made of, for the batch that `pass` has just run.
    public func update(_ pass: EffectPass) {
        batch = pass.batch
        let (K, d, width) = (lens.headCount, lens.embeddingWidth, lens.headCount * lens.headWidth)
        pass.biasShares(lens, into: rawBiasShares.base)
        biasShares.base.update(from: rawBiasShares.base, count: batch * d)
        RowKernels.subtract(row: means.biasShare, from: biasShares.base, rows: batch, columns: d)
        RowKernels.rowSquares(biasShares.base, rows: batch, columns: d, stride: d, into: biasNorms.base)
        for image in 0..<batch { biasNorms.base[image] = biasNorms.base[image].squareRoot() }
        BLAS.multiply(
            batch, width, d, biasShares.base, stride: d, lens.outputs.elements, stride: d, otherTransposed: true,
            into: biasReads.base, stride: width)
        pass.coordinates(lens, into: coordinates.base)
        let packed = factors.rowCount
        means.coordinates.elements.withUnsafeBufferPointer { means in
            factors.elements.withUnsafeBufferPointer { factors in
                guard let means = means.baseAddress, let factors = factors.baseAddress else { return }
                for n in 0..<lens.neurons {
                    let (s, norms) = (coordinates.base + n * batch * K, coordinateNorms.base + n * batch)
                    RowKernels.subtract(row: means + n * K, from: s, rows: batch, columns: K)
                    PackedTriangle.squares(factors + n * packed, count: K, s, rows: batch, into: norms)
                    for image in 0..<batch { norms[image] = norms[image].squareRoot() }
                }
            }
        }
    }

    /// Evaluates the norms of all neurons, for the batch last given to ``update(_:)``.
    public func evaluateNorms() {
        let (K, headWidth, width) = (lens.headCount, lens.headWidth, lens.headCount * lens.headWidth)
        lens.neuronValues.elements.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            for first in stride(from: 0, to: lens.neurons, by: Self.chunk) {
                let range = first..<min(first + Self.chunk, lens.neurons)
                for k in 0..<K {  // u_{n,k} · output_k δb. // [neurons, K, batch]
                    BLAS.multiply(
                        range.count, batch, headWidth, values + first * width + k * headWidth, stride: width,
                        biasReads.base + k * headWidth, stride: width, otherTransposed: true,
                        into: crossTerms.base + k * batch, stride: K * batch)
                }
                for n in range {
                    RowKernels.productDiagonal(
                        coordinates.base + n * batch * K, crossTerms.base + (n - first) * K * batch, rows: batch, columns: K,
                        into: products.base)
                    for image in 0..<batch { norms.base[n * batch + image] = norm(n, image, cross: products.base[image]) }
                }
            }
        }
    }

    /// Whether ‖φ_n − φ̄_n‖ is above a threshold, without ``evaluateNorms()``.
    ///
    /// δb is small, so that nearly always ‖R_n δs‖ ± ‖δb‖ lie on one side of the threshold and decide
    /// (triangle inequality); only between them the cross term is evaluated.
    func isNorm(of n: Int, image: Int, above threshold: Float) -> Bool {
        let (norm, bias) = (coordinateNorms.base[n * batch + image], biasNorms.base[image])
        if norm + bias <= threshold { return false }
        if norm - bias > threshold { return true }
        return self.norm(n, image, cross: crossTerm(n, image)) > threshold
    }

    /// Σ_k δs_k (u_{n,k} · output_k δb) of one neuron and image.
    private func crossTerm(_ n: Int, _ image: Int) -> Float {
        let (K, headWidth, width) = (lens.headCount, lens.headWidth, lens.headCount * lens.headWidth)
        return lens.neuronValues.elements.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return 0 }
            return (0..<K).reduce(0) { sum, k in
                sum + coordinates.base[(n * batch + image) * K + k]
                    * BLAS.dot(
                        values + n * width + k * headWidth, biasReads.base + image * width + k * headWidth, count: headWidth)
            }
        }
    }

    private func norm(_ n: Int, _ image: Int, cross: Float) -> Float {
        let (norm, bias) = (coordinateNorms.base[n * batch + image], biasNorms.base[image])
        // Rounding may leave a tiny negative number where the effect equals its mean.
        return max(norm * norm + 2 * cross + bias * bias, 0).squareRoot()
    }
}
