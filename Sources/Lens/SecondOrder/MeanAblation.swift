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
    /// Σ δs_{n,k} u_{n,k} over the significant neurons. // [batch, K · d_h]
    private let significantValues: FloatBuffer
    /// The same sum over neurons chosen at random. // [batch, K · d_h]
    private let randomValues: FloatBuffer
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
        significantValues = FloatBuffer(capacity * lens.headCount * lens.headWidth)
        randomValues = FloatBuffer(capacity * lens.headCount * lens.headWidth)
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
        significantValues.base.update(repeating: 0, count: batch * lens.headCount * lens.headWidth)
        for image in 0..<batch { significant[image] = 0 }
        effects.update(pass)
        for n in 0..<lens.neurons {
            project(n, batch: batch)
            for image in 0..<batch where effects.isNorm(of: n, image: image, above: thresholds[n]) {
                significant[image] += 1
                addValues(of: n, image: image, batch: batch, to: significantValues)
            }
        }
        pass.totalEffects(lens, biasShares: effects.rawBiasShares.base, into: total.base)
        RowKernels.subtract(row: means.total, from: total.base, rows: batch, columns: d)  // Σ_n (φ_n − φ̄_n)

        let baseline = buffer(.baseline)
        baseline.update(from: pass.representations.base, count: count)
        set(.withoutAllNeurons, to: baseline, plus: -1, total.base, count: count)

        sumEffects(significantValues, batch: batch)
        set(.withoutLargeNorms, to: baseline, plus: -1, chosenSum.base, count: count)
        set(.withoutSmallNorms, to: buffer(.withoutAllNeurons), plus: 1, chosenSum.base, count: count)

        randomValues.base.update(repeating: 0, count: batch * lens.headCount * lens.headWidth)
        for image in 0..<batch {
            var random = SplitMix64(seed: seed, label: "random neurons of layer \(lens.layer)", index: UInt64(firstImage + image))
            for n in random.sample(significant[image], of: lens.neurons) {
                addValues(of: n, image: image, batch: batch, to: randomValues)
            }
        }
        sumEffects(randomValues, batch: batch)
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

    /// Adds δs_{n,k}(I) u_{n,k} to an image's sums. // → [batch, K · d_h]
    private func addValues(of n: Int, image: Int, batch: Int, to sums: FloatBuffer) {
        let (K, headWidth) = (lens.headCount, lens.headWidth)
        let width = K * headWidth
        lens.neuronValues.elements.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            RowKernels.add(
                blocks: values + n * width, scaledBy: effects.coordinates.base + (n * batch + image) * K,
                to: sums.base + image * width, blocks: K, width: headWidth)
        }
    }

    /// Σ_{n∈Q} (φ_n − φ̄_n) = Σ_k output_kᵀ Σ_{n∈Q} δs_{n,k} u_{n,k} + |Q| δb, Q chosen for each image and
    /// as large as its significant neurons are many. // → chosenSum
    /// - Parameter values: the inner sums. // [batch, K · d_h]
    private func sumEffects(_ values: FloatBuffer, batch: Int) {
        let (d, width) = (lens.embeddingWidth, lens.headCount * lens.headWidth)
        for image in 0..<batch {
            let (share, biasShare) = (chosenSum.base + image * d, effects.biasShares.base + image * d)
            for j in 0..<d { share[j] = Float(significant[image]) * biasShare[j] }
        }
        BLAS.multiply(
            batch, d, width, values.base, stride: width, lens.outputs.elements, stride: d, beta: 1,
            into: chosenSum.base, stride: d)
    }

    /// δs·ρ_n of one neuron. // → coefficients [N, batch]
    private func project(_ n: Int, batch: Int) {
        let K = lens.headCount
        projections.elements.withUnsafeBufferPointer { projections in
            guard let projections = projections.baseAddress else { return }
            BLAS.multiply(
                batch, K, effects.coordinates.base + n * batch * K, stride: K, vector: projections + n * K,
                into: coefficients.base + n * batch)
        }
    }

    /// Mean-ablated, plus Σ_n ⟨φ_n − φ̄_n, r_n⟩ r_n with ⟨φ_n − φ̄_n, r_n⟩ = δs·ρ_n + δb·r_n.
    private func reconstruct(batch: Int) {
        let d = lens.embeddingWidth
        BLAS.multiply(
            lens.neurons, batch, d, directions.elements, stride: d, effects.biasShares.base, stride: d,
            otherTransposed: true, beta: 1, into: coefficients.base, stride: batch)
        let result = buffer(.reconstructionFromPC1)
        result.update(from: buffer(.withoutAllNeurons), count: batch * d)
        BLAS.multiply(
            batch, d, lens.neurons, coefficients.base, stride: batch, transposed: true, directions.elements, stride: d,
            beta: 1, into: result, stride: d)
    }
}
