import DenseMath
import Foundations

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

/// Ablates the representations of one layer, batch by batch. Belongs to one worker.
public final class MeanAblation {
    private let effects: CentredEffects
    private let thresholds: [Float]
    private let meanAblated: MeanAblatedRepresentations
    private let reconstruction: EffectReconstruction
    private let chosen: ChosenEffects
    /// In the order of the conditions. // [batch, d] each
    private let results: [FloatBuffer]

    public var lens: SecondOrderLens { effects.lens }

    /// - Parameters:
    ///   - thresholds: t_n. // [N]
    ///   - readings: of r_n, shared by all workers.
    public init(
        _ effects: CentredEffects, means: EffectMeans, thresholds: [Float], readings: DirectionReadings, capacity: Int
    ) {
        let lens = effects.lens
        self.effects = effects
        self.thresholds = thresholds
        meanAblated = MeanAblatedRepresentations(lens, means: means, capacity: capacity)
        reconstruction = EffectReconstruction(readings, capacity: capacity)
        chosen = ChosenEffects(lens, scratch: effects.scratch)
        results = AblationCondition.allCases.map { _ in FloatBuffer(capacity * lens.embeddingWidth) }
    }

    /// Evaluates every condition of a batch.
    /// - Parameters:
    ///   - firstImage: index of the batch's first image; with `seed` it decides the random neurons.
    public func run(_ pass: EffectPass, firstImage: Int, seed: UInt64) -> AblatedBatch {
        let (batch, D, d) = (pass.batch, lens.width, lens.embeddingWidth)
        let scratch = effects.scratch
        let (effects, large) = largeNorms(pass)
        let random = large.enumerated().map { image, neurons in
            var random = SplitMix64(
                seed: seed, label: "random neurons of layer \(lens.layer)", index: UInt64(firstImage + image))
            return random.sample(neurons.count, of: lens.neurons)
        }

        // All neurons, the large ones, the random ones: carried through the heads together.
        let mixed = scratch.mixed.base
        pass.mixOutputs(lens, into: mixed, rows: 3 * batch)
        chosen.mix(large, effects, into: mixed + batch * D, rows: 3 * batch)
        chosen.mix(random, effects, into: mixed + 2 * batch * D, rows: 3 * batch)
        lens.carry(mixed, rows: 3 * batch, scratch: scratch.values.base, into: scratch.carried.base)

        let baseline = buffer(.baseline)
        baseline.update(from: pass.representations, count: batch * d)
        let withoutAll = meanAblated.run(pass, effects, carried: scratch.carried.base)
        let (ofLarge, ofRandom) = (scratch.carried.base + batch * d, scratch.carried.base + 2 * batch * d)
        for image in 0..<batch {
            let (count, bias) = (Float(large[image].count), effects.biasShares + image * d)
            BLAS.add(count, bias, to: ofLarge + image * d, count: d)
            BLAS.add(count, bias, to: ofRandom + image * d, count: d)
        }
        buffer(.withoutAllNeurons).update(from: withoutAll, count: batch * d)
        set(.withoutLargeNorms, to: baseline, plus: -1, ofLarge, count: batch * d)
        set(.withoutSmallNorms, to: withoutAll, plus: 1, ofLarge, count: batch * d)
        set(.withoutRandomNeurons, to: baseline, plus: -1, ofRandom, count: batch * d)

        let reconstructed = reconstruction.finish(addingTo: withoutAll, batch: batch)
        buffer(.reconstructionFromPC1).update(from: reconstructed.representations, count: batch * d)
        return AblatedBatch(significant: large.map(\.count), results: results)
    }

    /// Centres the effects, projects them onto their directions, and finds the neurons above their threshold, by image.
    private func largeNorms(_ pass: EffectPass) -> (effects: CentredBatch, large: [[Int]]) {
        let batch = pass.batch
        var large = [[Int]](repeating: [], count: batch)
        var undecided = large
        reconstruction.begin(batch: batch)
        let effects = effects.run(pass) { neurons, effects in
            reconstruction.reconstruct(neurons, effects)
            for n in neurons {
                for image in 0..<batch {
                    switch effects.isNorm(of: n, image: image, above: thresholds[n]) {
                    case true?: large[image].append(n)
                    case false?: continue
                    case nil: undecided[image].append(n)
                    }
                }
            }
        }
        let norms = effects.norms(of: undecided)
        for image in 0..<batch {
            let more = undecided[image].filter { norms[$0 * batch + image] > thresholds[$0] }
            if !more.isEmpty { large[image] = (large[image] + more).sorted() }
        }
        return (effects, large)
    }

    private func buffer(_ condition: AblationCondition) -> UnsafeMutablePointer<Float> {
        results[AblationCondition.allCases.firstIndex(of: condition) ?? 0].base
    }

    private func set(
        _ condition: AblationCondition, to start: UnsafePointer<Float>, plus factor: Float,
        _ term: UnsafePointer<Float>, count: Int
    ) {
        buffer(condition).update(from: start, count: count)
        BLAS.add(factor, term, to: buffer(condition), count: count)
    }
}

/// The representations of a batch under every condition. Holds until its ``MeanAblation`` runs again.
public struct AblatedBatch {
    /// Number of neurons above their threshold. // [batch]
    public let significant: [Int]
    fileprivate let results: [FloatBuffer]

    /// The representation under a condition. // [batch, d]
    public func representations(_ condition: AblationCondition) -> UnsafePointer<Float> {
        UnsafePointer(results[AblationCondition.allCases.firstIndex(of: condition) ?? 0].base)
    }
}

/// R − Σ_n (φ_n − φ̄_n) over all neurons of a layer, with no work for any single one. Belongs to one worker.
public final class MeanAblatedRepresentations {
    private let lens: SecondOrderLens
    private let means: EffectMeans
    private let representations: FloatBuffer

    public init(_ lens: SecondOrderLens, means: EffectMeans, capacity: Int) {
        self.lens = lens
        self.means = means
        representations = FloatBuffer(capacity * lens.embeddingWidth)
    }

    /// The representations of a batch. They hold until the next. // [batch, d]
    /// - Parameter effects: of the same batch.
    public func run(_ pass: EffectPass, _ effects: CentredBatch) -> UnsafePointer<Float> {
        let scratch = effects.scratch
        pass.mixOutputs(lens, into: scratch.mixed.base, rows: pass.batch)
        lens.carry(scratch.mixed.base, rows: pass.batch, scratch: scratch.values.base, into: scratch.carried.base)
        return run(pass, effects, carried: scratch.carried.base)
    }

    /// The representations of a batch.
    /// - Parameter carried: what the heads carry of the MLP's outputs, see ``EffectPass/mixOutputs(_:into:rows:)``. // [batch, d]
    func run(_ pass: EffectPass, _ effects: CentredBatch, carried: UnsafePointer<Float>) -> UnsafePointer<Float> {
        let d = lens.embeddingWidth
        let representations = representations.base
        representations.update(from: pass.representations, count: pass.batch * d)
        BLAS.add(-1, carried, to: representations, count: pass.batch * d)
        BLAS.add(-Float(lens.neurons), effects.rawBiasShares, to: representations, count: pass.batch * d)
        for image in 0..<pass.batch { BLAS.add(1, means.total, to: representations + image * d, count: d) }
        return UnsafePointer(representations)
    }
}
