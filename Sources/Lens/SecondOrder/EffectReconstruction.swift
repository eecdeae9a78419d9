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
        begin(batch: batch)
        let N = readings.directions.shape[0]
        for start in stride(from: 0, to: N, by: 256) { reconstruct(start..<min(start + 256, N), effects, batch: batch) }
        add(to: meanAblated, batch: batch)
    }

    // The parts of the same, for callers that look at each neuron's coordinates anyway: they are then read from memory
    // once, and so are the directions.

    func begin(batch: Int) { representations.base.update(repeating: 0, count: batch * readings.directions.shape[1]) }

    /// Σ_n ⟨φ_n − φ̄_n, v_n⟩ v_n of some neurons.
    func reconstruct(_ neurons: Range<Int>, _ effects: CentredEffects, batch: Int) {
        let (K, d) = (readings.projections.shape[1], readings.directions.shape[1])
        let coefficients = coefficients.base + neurons.lowerBound * batch
        readings.projections.elements.withUnsafeBufferPointer { projections in
            guard let projections = projections.baseAddress else { return }
            for n in neurons {
                BLAS.multiply(
                    batch, K, effects.coordinates.base + n * batch * K, stride: K, vector: projections + n * K,
                    into: coefficients + (n - neurons.lowerBound) * batch)
            }
        }
        readings.directions.elements.withUnsafeBufferPointer { directions in
            guard let base = directions.baseAddress else { return }
            let directions = base + neurons.lowerBound * d
            BLAS.multiply(
                neurons.count, batch, d, directions, stride: d, effects.biasShares.base, stride: d,
                otherTransposed: true, beta: 1,
                into: coefficients, stride: batch)
            BLAS.multiply(
                batch, d, neurons.count, coefficients, stride: batch, transposed: true, directions, stride: d, beta: 1,
                into: representations.base, stride: d)
        }
    }

    func add(to meanAblated: UnsafePointer<Float>, batch: Int) {
        BLAS.add(1, meanAblated, to: representations.base, count: batch * readings.directions.shape[1])
    }
}
