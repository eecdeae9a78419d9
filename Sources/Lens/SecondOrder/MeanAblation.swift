import DenseMath

/// What is done to the representation of an image: the conditions of Figure 3.
public enum AblationCondition: String, CaseIterable, Sendable, Codable {
    /// R, untouched.
    case baseline
    /// R − Σ_n (φ_n − φ̄_n)
    case withoutAllNeurons = "without-all-neurons"
    /// R − Σ (φ_n − φ̄_n) over the neurons with a norm above their threshold on this image.
    case withoutLargeNorms = "without-large-norms"
    /// R − Σ (φ_n − φ̄_n) over all other neurons.
    case withoutSmallNorms = "without-small-norms"
    /// Mean-ablated, plus Σ_n ⟨φ_n − φ̄_n, r_n⟩ r_n.
    case reconstructionFromPC1 = "reconstruction-from-pc1"
    /// A control: as `withoutLargeNorms`, with as many neurons chosen at random.
    case withoutRandomNeurons = "without-random-neurons"
}

/// The ablated representations of one layer. Belongs to one worker.
public final class MeanAblation {
    public let effects: CentredEffects
    private let means: EffectMeans
    private let thresholds: [Float]
    private let directions: Tensor
    /// ρ_{n,k} = M_{n,k} · r_n. // [N, K]
    private let projections: Tensor
    private let total: FloatBuffer
    private let coefficients: FloatBuffer
    private let summedValues: FloatBuffer
    private let chosenSum: FloatBuffer
    private let results: [FloatBuffer]
    /// Number of neurons above their threshold. // [batch]
    public private(set) var significant: [Int]

    private var lens: SecondOrderLens { effects.lens }

    /// - Parameters:
    ///   - thresholds: t_n. // [N]
    ///   - projections: ``projections(of:on:)``, shared by all workers.
    public init(
        _ effects: CentredEffects, means: EffectMeans, thresholds: [Float], directions: PrincipalDirections,
        projections: Tensor, capacity: Int
    ) {
        let lens = effects.lens
        self.effects = effects
        self.means = means
        self.thresholds = thresholds
        self.directions = directions.directions
        self.projections = projections
        total = FloatBuffer(capacity * lens.embeddingWidth)
        coefficients = FloatBuffer(lens.neurons * capacity)
        summedValues = FloatBuffer(capacity * lens.headCount * lens.headWidth)
        chosenSum = FloatBuffer(capacity * lens.embeddingWidth)
        results = AblationCondition.allCases.map { _ in FloatBuffer(capacity * lens.embeddingWidth) }
        significant = [Int](repeating: 0, count: capacity)
    }

    /// ρ_{n,k} = M_{n,k} · r_n. // [N, K]
    public static func projections(of lens: SecondOrderLens, on directions: PrincipalDirections) -> Tensor {
        let (K, d) = (lens.headCount, lens.embeddingWidth)
        var result = Tensor(zeros: [lens.neurons, K])
        for start in stride(from: 0, to: lens.neurons, by: 64) {
            let range = start..<min(start + 64, lens.neurons)
            let M = lens.headDirections(range)
            for n in range {
                for k in 0..<K {
                    let row = ((n - start) * K + k) * d
                    result.elements[n * K + k] = zip(M.elements[row..<row + d], directions.directions[row: n])
                        .reduce(0) { $0 + $1.0 * $1.1 }
                }
            }
        }
        return result
    }

    /// The representation under a condition after ``update(_:firstImage:seed:)``. // [batch, d]
    public func representations(_ condition: AblationCondition) -> UnsafePointer<Float> {
        UnsafePointer(results[AblationCondition.allCases.firstIndex(of: condition) ?? 0].base)
    }

    /// Evaluates every condition for the batch that `pass` has just run.
    /// - Parameters:
    ///   - firstImage: index of the batch's first image; with `seed` it decides the random neurons.
    public func update(_ pass: EffectPass, firstImage: Int, seed: UInt64) {
        let batch = pass.batch
        let d = lens.embeddingWidth
        let count = batch * d
        effects.update(pass)
        pass.totalEffects(lens, biasShares: effects.rawBiasShares.base, into: total.base)
        RowKernels.subtract(row: means.total, from: total.base, rows: batch, columns: d)  // Σ_n (φ_n − φ̄_n)

        let baseline = buffer(.baseline)
        baseline.update(from: pass.representations.base, count: count)
        set(.withoutAllNeurons, to: baseline, plus: -1, total.base, count: count)

        sumEffects(batch: batch) { image in
            let chosen = (0..<self.lens.neurons).filter { self.effects.norms.base[$0 * batch + image] > self.thresholds[$0] }
            self.significant[image] = chosen.count
            return chosen
        }
        set(.withoutLargeNorms, to: baseline, plus: -1, chosenSum.base, count: count)
        set(.withoutSmallNorms, to: buffer(.withoutAllNeurons), plus: 1, chosenSum.base, count: count)

        sumEffects(batch: batch) { image in
            var random = SplitMix64(seed: seed, label: "random neurons of layer \(self.lens.layer)", index: UInt64(firstImage + image))
            return random.sample(self.significant[image], of: self.lens.neurons)
        }
        set(.withoutRandomNeurons, to: baseline, plus: -1, chosenSum.base, count: count)

        reconstruct(batch: batch)
    }

    private func buffer(_ condition: AblationCondition) -> UnsafeMutablePointer<Float> {
        results[AblationCondition.allCases.firstIndex(of: condition) ?? 0].base
    }

    private func set(
        _ condition: AblationCondition, to start: UnsafePointer<Float>, plus factor: Float, _ term: UnsafePointer<Float>,
        count: Int
    ) {
        buffer(condition).update(from: start, count: count)
        BLAS.add(factor, term, to: buffer(condition), count: count)
    }

    /// Σ_{n∈Q} (φ_n − φ̄_n) = Σ_k output_kᵀ Σ_{n∈Q} δs_{n,k} u_{n,k} + |Q| δb, Q chosen for each image. // → chosenSum
    private func sumEffects(batch: Int, of neurons: (Int) -> [Int]) {
        let (K, headWidth, d) = (lens.headCount, lens.headWidth, lens.embeddingWidth)
        let width = K * headWidth
        summedValues.base.update(repeating: 0, count: batch * width)
        lens.neuronValues.elements.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            for image in 0..<batch {
                let chosen = neurons(image)
                let sum = summedValues.base + image * width
                for n in chosen {
                    let s = effects.coordinates.base + (n * batch + image) * K
                    for k in 0..<K {
                        let u = values + n * width + k * headWidth
                        let target = sum + k * headWidth
                        let factor = s[k]
                        for i in 0..<headWidth { target[i] += factor * u[i] }
                    }
                }
                let share = chosenSum.base + image * d
                for j in 0..<d { share[j] = Float(chosen.count) * effects.biasShares.base[image * d + j] }
            }
        }
        BLAS.multiply(
            batch, d, width, summedValues.base, stride: width, lens.outputs.elements, stride: d, beta: 1,
            into: chosenSum.base, stride: d)
    }

    /// Mean-ablated, plus Σ_n ⟨φ_n − φ̄_n, r_n⟩ r_n with ⟨φ_n − φ̄_n, r_n⟩ = δs·ρ_n + δb·r_n.
    private func reconstruct(batch: Int) {
        let (N, K, d) = (lens.neurons, lens.headCount, lens.embeddingWidth)
        BLAS.multiply(
            N, batch, d, directions.elements, stride: d, effects.biasShares.base, stride: d, otherTransposed: true,
            into: coefficients.base, stride: batch)
        projections.elements.withUnsafeBufferPointer { projections in
            guard let projections = projections.baseAddress else { return }
            for n in 0..<N {
                BLAS.multiply(
                    batch, K, effects.coordinates.base + n * batch * K, stride: K, vector: projections + n * K, beta: 1,
                    into: coefficients.base + n * batch)
            }
        }
        let result = buffer(.reconstructionFromPC1)
        result.update(from: buffer(.withoutAllNeurons), count: batch * d)
        BLAS.multiply(
            batch, d, N, coefficients.base, stride: batch, transposed: true, directions.elements, stride: d, beta: 1,
            into: result, stride: d)
    }
}
