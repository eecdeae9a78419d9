import DenseMath

/// The centred head coordinates of one layer for one batch, and the norms of the centred effects:
///
///     ‖φ_n − φ̄_n‖² = ‖R_n δs‖² + 2 ⟨Σ_k δs_k input_kᵀ output_k δb, w^n⟩ + ‖δb‖²
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
    /// input_kᵀ output_k δb. // [batch, K, D]
    private let biasQueries: FloatBuffer
    /// δs of some neurons for one image. // [chunk, K]
    private let chosenCoordinates: FloatBuffer
    /// Σ_k δs_k input_kᵀ output_k δb of the same. // [chunk, D]
    private let chosenQueries: FloatBuffer
    private var batch = 0

    /// Neurons whose cross terms are evaluated together.
    private static let chunk = 64

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
        biasQueries = FloatBuffer(capacity * K * lens.width)
        chosenCoordinates = FloatBuffer(Self.chunk * K)
        chosenQueries = FloatBuffer(Self.chunk * lens.width)
    }

    /// Evaluates δs, δb and what norms are made of, for the batch that `pass` has just run.
    public func update(_ pass: EffectPass) {
        batch = pass.batch
        let (K, d) = (lens.headCount, lens.embeddingWidth)
        pass.biasShares(lens, into: rawBiasShares.base)
        biasShares.base.update(from: rawBiasShares.base, count: batch * d)
        RowKernels.subtract(row: means.biasShare, from: biasShares.base, rows: batch, columns: d)
        RowKernels.rowSquares(biasShares.base, rows: batch, columns: d, stride: d, into: biasNorms.base)
        for image in 0..<batch { biasNorms.base[image] = biasNorms.base[image].squareRoot() }
        lens.pullBack(biasShares.base, images: batch, scratch: biasReads.base, into: biasQueries.base)
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

    /// Evaluates norms, for the batch last given to ``update(_:)``.
    /// - Parameter floors: norms that cannot reach their neuron's floor become 0 instead; nil for none. // [N]
    public func evaluateNorms(above floors: [Float]? = nil) {
        for image in 0..<batch {
            var chosen: [Int] = []
            for n in 0..<lens.neurons {
                let largest = coordinateNorms.base[n * batch + image] + biasNorms.base[image]
                if let floors, largest < floors[n] {
                    norms.base[n * batch + image] = 0
                    continue
                }
                chosen.append(n)
                if chosen.count == Self.chunk {
                    evaluateNorms(of: chosen, image)
                    chosen.removeAll(keepingCapacity: true)
                }
            }
            evaluateNorms(of: chosen, image)
        }
    }

    private func evaluateNorms(of chosen: [Int], _ image: Int) {
        let (K, D) = (lens.headCount, lens.width)
        for (row, n) in chosen.enumerated() {
            (chosenCoordinates.base + row * K).update(from: coordinates.base + (n * batch + image) * K, count: K)
        }
        BLAS.multiply(
            chosen.count, D, K, chosenCoordinates.base, stride: K, biasQueries.base + image * K * D, stride: D,
            into: chosenQueries.base, stride: D)
        lens.neuronOutputs.elements.withUnsafeBufferPointer { outputs in
            guard let outputs = outputs.baseAddress else { return }
            for (row, n) in chosen.enumerated() {
                norms.base[n * batch + image] = norm(
                    n, image, cross: BLAS.dot(chosenQueries.base + row * D, outputs + n * D, count: D))
            }
        }
    }

    /// A bound below ‖φ_n − φ̄_n‖ that needs no cross term (triangle inequality).
    public func lowerBound(of n: Int, image: Int) -> Float {
        max(coordinateNorms.base[n * batch + image] - biasNorms.base[image], 0)
    }

    /// Whether ‖φ_n − φ̄_n‖ is above a threshold, without ``evaluateNorms()``.
    ///
    /// δb is small, so that nearly always ‖R_n δs‖ ± ‖δb‖ lie on one side of the threshold and decide
    /// (triangle inequality); only between them the cross term is evaluated.
    func isNorm(of n: Int, image: Int, above threshold: Float) -> Bool {
        let (norm, bias) = (coordinateNorms.base[n * batch + image], biasNorms.base[image])
        if norm + bias <= threshold { return false }
        if norm - bias > threshold { return true }
        evaluateNorms(of: [n], image)
        return norms.base[n * batch + image] > threshold
    }

    private func norm(_ n: Int, _ image: Int, cross: Float) -> Float {
        let (norm, bias) = (coordinateNorms.base[n * batch + image], biasNorms.base[image])
        // Rounding may leave a tiny negative number where the effect equals its mean.
        return max(norm * norm + 2 * cross + bias * bias, 0).squareRoot()
    }
}
