import DenseMath

/// Every centred effect of a layer replaced by its projection onto a vector v_n of the neuron's own:
///
///     R − Σ_n (φ_n − φ̄_n) + Σ_n ⟨φ_n − φ̄_n, v_n⟩ v_n,     ⟨φ_n − φ̄_n, v_n⟩ = Σ_k δs_{n,k} ρ_{n,k} + δb · v_n
///
/// v_n is used as it is, so that vectors shorter than one shrink the effect twice: r_n of unit length in
/// the reconstruction from PC #1 (Figure 3), r̂_n in that from sparse texts (Figure 4). Belongs to one worker.
public final class EffectReconstruction {
    public let readings: DirectionReadings
    private let representations, coefficients: FloatBuffer

    public init(_ readings: DirectionReadings, capacity: Int) {
        self.readings = readings
        representations = FloatBuffer(capacity * readings.directions.shape[1])
        coefficients = FloatBuffer(capacity * readings.directions.shape[0])
    }

    /// Replaces the effects of a batch.
    /// - Parameters:
    ///   - effects: of the lens whose directions these are.
    ///   - meanAblated: R − Σ_n (φ_n − φ̄_n), see ``MeanAblatedRepresentations``. // [batch, d]
    public func run(_ effects: CentredBatch, meanAblated: UnsafePointer<Float>) -> ReconstructedBatch {
        begin(batch: effects.batch)
        let N = readings.directions.shape[0]
        for start in stride(from: 0, to: N, by: 256) { reconstruct(start..<min(start + 256, N), effects) }
        return finish(addingTo: meanAblated, batch: effects.batch)
    }

    // The parts of the same, for callers that look at each neuron's coordinates anyway: they are then read from memory
    // once, and so are the directions.

    func begin(batch: Int) { representations.base.update(repeating: 0, count: batch * readings.directions.shape[1]) }

    /// Σ_n ⟨φ_n − φ̄_n, v_n⟩ v_n of some neurons.
    func reconstruct(_ neurons: Range<Int>, _ effects: CentredBatch) {
        let (batch, K, d) = (effects.batch, readings.projections.shape[1], readings.directions.shape[1])
        let coefficients = coefficients.base + neurons.lowerBound * batch
        readings.projections.elements.withUnsafeBufferPointer { projections in
            guard let projections = projections.baseAddress else { return }
            for n in neurons {
                BLAS.multiply(
                    batch, K, effects.coordinates + n * batch * K, stride: K, vector: projections + n * K,
                    into: coefficients + (n - neurons.lowerBound) * batch)
            }
        }
        readings.directions.elements.withUnsafeBufferPointer { directions in
            guard let base = directions.baseAddress else { return }
            let directions = base + neurons.lowerBound * d
            BLAS.multiply(
                neurons.count, batch, d, directions, stride: d, effects.biasShares, stride: d,
                otherTransposed: true, beta: 1,
                into: coefficients, stride: batch)
            BLAS.multiply(
                batch, d, neurons.count, coefficients, stride: batch, transposed: true, directions, stride: d, beta: 1,
                into: representations.base, stride: d)
        }
    }

    func finish(addingTo meanAblated: UnsafePointer<Float>, batch: Int) -> ReconstructedBatch {
        BLAS.add(1, meanAblated, to: representations.base, count: batch * readings.directions.shape[1])
        return ReconstructedBatch(
            representations: UnsafePointer(representations.base), coefficients: UnsafePointer(coefficients.base))
    }
}

/// A batch whose centred effects were replaced by their projections. Holds until its ``EffectReconstruction`` runs again.
public struct ReconstructedBatch {
    /// // [batch, d]
    public let representations: UnsafePointer<Float>
    /// ⟨φ_n − φ̄_n, v_n⟩. // [N, batch]
    public let coefficients: UnsafePointer<Float>
}
