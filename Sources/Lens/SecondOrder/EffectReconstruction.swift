import DenseMath

/// Every centred effect of a layer replaced by its projection onto a vector v_n of the neuron's own:
///
///     R − Σ_n (φ_n − φ̄_n) + Σ_n ⟨φ_n − φ̄_n, v_n⟩ v_n,     ⟨φ_n − φ̄_n, v_n⟩ = Σ_k δs_{n,k} ρ_{n,k} + δb · v_n
///
/// v_n is used as it is, so that vectors shorter than one shrink the effect twice: r_n of unit length in
/// the reconstruction from PC #1 (Figure 3), r̂_n in that from sparse texts (Figure 4). Belongs to one worker.
public final class EffectReconstruction {
    public let readings: DirectionReadings
    /// After ``update(_:batch:meanAblated:)``. // [batch, d]
    public let representations: FloatBuffer
    /// ⟨φ_n − φ̄_n, v_n⟩ after ``update(_:batch:meanAblated:)``. // [N, batch]
    public let coefficients: FloatBuffer

    public init(_ readings: DirectionReadings, capacity: Int) {
        self.readings = readings
        representations = FloatBuffer(capacity * readings.directions.shape[1])
        coefficients = FloatBuffer(capacity * readings.directions.shape[0])
    }

    /// Evaluates the batch last given to ``CentredEffects/update(_:)``.
    /// - Parameters:
    ///   - effects: of the lens whose directions these are.
    ///   - meanAblated: R − Σ_n (φ_n − φ̄_n), see ``MeanAblatedRepresentations``. // [batch, d]
    public func update(_ effects: CentredEffects, batch: Int, meanAblated: UnsafePointer<Float>) {
        for n in 0..<readings.directions.shape[0] { project(n, effects, batch: batch) }
        reconstruct(effects, batch: batch, meanAblated: meanAblated)
    }

    /// Σ_k δs_{n,k} ρ_{n,k} of one neuron, on its own for callers that look at each neuron's coordinates
    /// anyway: they are then read from memory once. // → coefficients
    func project(_ n: Int, _ effects: CentredEffects, batch: Int) {
        let K = readings.projections.shape[1]
        readings.projections.elements.withUnsafeBufferPointer { projections in
            guard let projections = projections.baseAddress else { return }
            BLAS.multiply(
                batch, K, effects.coordinates.base + n * batch * K, stride: K, vector: projections + n * K,
                into: coefficients.base + n * batch)
        }
    }

    /// The rest of ``update(_:batch:meanAblated:)`` once every neuron has gone through ``project(_:_:batch:)``.
    func reconstruct(_ effects: CentredEffects, batch: Int, meanAblated: UnsafePointer<Float>) {
        let (N, d) = (readings.directions.shape[0], readings.directions.shape[1])
        let directions = readings.directions.elements
        BLAS.multiply(
            N, batch, d, directions, stride: d, effects.biasShares.base, stride: d, otherTransposed: true, beta: 1,
            into: coefficients.base, stride: batch)
        representations.base.update(from: meanAblated, count: batch * d)
        BLAS.multiply(
            batch, d, N, coefficients.base, stride: batch, transposed: true, directions, stride: d, beta: 1,
            into: representations.base, stride: d)
    }
}
