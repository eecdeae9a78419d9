import DenseMath

/// Sums of centred effects over a set Q of neurons, another for each image of a batch:
///
///     Σ_{n∈Q} (φ_n − φ̄_n) = Σ_k output_kᵀ input_k Σ_{n∈Q} δs_{n,k} w^n + |Q| δb
///
/// Belongs to one worker.
final class ChosenEffects {
    private let lens: SecondOrderLens
    private let scratch: EffectScratch
    /// After ``add(_:_:batch:)``. // [batch, d]
    let sums: FloatBuffer

    init(_ lens: SecondOrderLens, scratch: EffectScratch) {
        self.lens = lens
        self.scratch = scratch
        sums = FloatBuffer(scratch.capacity * lens.embeddingWidth)
    }

    /// Evaluates the batch last given to ``CentredEffects/update(_:)``.
    /// - Parameter sets: neurons, by image.
    func add(_ sets: [[Int]], _ effects: CentredEffects, batch: Int) {
        let (K, D, d) = (lens.headCount, lens.width, lens.embeddingWidth)
        let (mixed, values) = (scratch.mixed, scratch.values)
        mixed.base.update(repeating: 0, count: batch * K * D)
        for image in 0..<batch {
            for start in stride(from: 0, to: sets[image].count, by: EffectScratch.chunk) {
                mix(sets[image][start..<min(start + EffectScratch.chunk, sets[image].count)], effects, image, batch: batch)
            }
            let (sum, bias) = (sums.base + image * d, effects.biasShares.base + image * d)
            for j in 0..<d { sum[j] = Float(sets[image].count) * bias[j] }
        }
        lens.read(mixed.base, images: batch, into: values.base)
        lens.write(values.base, images: batch, beta: 1, into: sums.base)
    }

    private func mix(_ neurons: ArraySlice<Int>, _ effects: CentredEffects, _ image: Int, batch: Int) {
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
            K, D, neurons.count, coordinates.base, stride: K, transposed: true, outputs.base, stride: D, beta: 1,
            into: scratch.mixed.base + image * K * D, stride: D)
    }
}
