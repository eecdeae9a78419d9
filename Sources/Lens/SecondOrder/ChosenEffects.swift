import DenseMath

/// What a set Q of neurons, another for each image of a batch, brings to the heads, from where it is carried to
///
///     Σ_{n∈Q} (φ_n − φ̄_n) = Σ_k output_kᵀ input_k Σ_{n∈Q} δs_{n,k} w^n + |Q| δb
///
/// Belongs to one worker.
struct ChosenEffects {
    private let lens: SecondOrderLens
    private let scratch: EffectScratch

    init(_ lens: SecondOrderLens, scratch: EffectScratch) {
        self.lens = lens
        self.scratch = scratch
    }

    /// Σ_{n∈Q} δs_{n,k} w^n for the batch last given to ``CentredEffects/update(_:)``. // [K, rows, D]
    /// - Parameters:
    ///   - sets: neurons, by image.
    ///   - rows: of which the first are the batch's.
    func mix(_ sets: [[Int]], _ effects: CentredEffects, into mixed: UnsafeMutablePointer<Float>, rows: Int) {
        let (K, D) = (lens.headCount, lens.width)
        for (image, neurons) in sets.enumerated() {
            let target = mixed + image * D
            if neurons.isEmpty {
                for k in 0..<K { (target + k * rows * D).update(repeating: 0, count: D) }
            }
            for start in stride(from: 0, to: neurons.count, by: EffectScratch.chunk) {
                mix(
                    neurons[start..<min(start + EffectScratch.chunk, neurons.count)], effects, image, batch: sets.count,
                    adding: start > 0, into: target, stride: rows * D)
            }
        }
    }

    private func mix(
        _ neurons: ArraySlice<Int>, _ effects: CentredEffects, _ image: Int, batch: Int, adding: Bool,
        into mixed: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let (K, D) = (lens.headCount, lens.width)
        // The neurons' δs and w^n, one below the other. // [chunk, K], [chunk, D]
        let (coordinates, outputs) = (scratch.chosenCoordinates, scratch.chosenQueries)
        lens.neuronOutputs.elements.withUnsafeBufferPointer { all in
            guard let all = all.baseAddress else { return }
            for (row, n) in neurons.enumerated() {
                (coordinates.base + row * K).update(from: effects.coordinates.base + (n * batch + image) * K, count: K)
                (outputs.base + row * D).update(from: all + n * D, count: D)
            }
        }
        BLAS.multiply(
            K, D, neurons.count, coordinates.base, stride: K, transposed: true, outputs.base, stride: D,
            beta: adding ? 1 : 0,
            into: mixed, stride: stride)
    }
}
