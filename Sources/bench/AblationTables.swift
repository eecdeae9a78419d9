import CLIPModel
import DenseMath
import Lens

/// What a mean-ablation of some layers reads; all workers read it.
struct AblationTables {
    let effects: EffectTables
    let thresholds: [[Float]]
    let readings: [DirectionReadings]

    /// The mean-ablation of each layer, with memory of a worker's own.
    func ablations(capacity: Int) -> [MeanAblation] {
        effects.effects(capacity: capacity).enumerated().map { layer, centred in
            MeanAblation(
                centred, means: effects.means[layer], thresholds: thresholds[layer], readings: readings[layer],
                capacity: capacity)
        }
    }
}

extension AblationTables {
    /// Fitted images for each effect that is kept, so that about 2 % of all are above their neuron's threshold.
    private static let imagesPerKept = 48

    /// Fitted to random images.
    /// - Parameter kept: effects of each neuron.
    init(_ model: BenchmarkModel, _ tower: VisionTransformer, layers: [Int], kept: Int) {
        let fitted = kept * Self.imagesPerKept
        let paths = ValueOutputPaths(tower)
        let workspace = EffectWorkspace(tower, layers: layers, capacity: model.batch)
        let images = model.images(fitted, seed: 4)
        func forEachBatch(_ body: (EffectPass, _ start: Int) -> Void) {
            let size = images.count / fitted
            images.withUnsafeBufferPointer { pixels in
                guard let base = pixels.baseAddress else { return }
                for start in stride(from: 0, to: fitted, by: model.batch) {
                    body(workspace.run(base + start * size, batch: min(model.batch, fitted - start)), start)
                }
            }
        }
        do {
            let lenses = try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: tower) }
            let sums = lenses.map { EffectSums($0, tokens: tower.tokens, capacity: model.batch) }
            forEachBatch { pass, _ in sums.forEach { $0.add(pass) } }
            let tables = EffectTables(
                lenses: lenses, factors: try lenses.map { try $0.choleskyFactors() }, means: sums.map(\.means))
            let effects = tables.effects(capacity: model.batch)
            let collectors = lenses.map { CandidateEffectsCollector(neurons: $0.neurons, headCount: $0.headCount) }
            let floors = [Float](repeating: 0, count: model.configuration.mlpWidth)
            var biasShares = lenses.map { _ in [Float]() }
            forEachBatch { pass, start in
                for (index, effects) in effects.enumerated() {
                    let effects = effects.run(pass)
                    collectors[index].insert(effects, floors: floors, firstImage: start)
                    biasShares[index] += UnsafeBufferPointer(
                        start: effects.biasShares, count: pass.batch * tower.embeddingWidth)
                }
            }
            let fits = try lenses.indices.map { index in
                guard let largest = LargestEffects([collectors[index].result()], count: kept) else {
                    preconditionFailure("every image is kept")
                }
                let directions = try PrincipalDirections(
                    lenses[index], largest: largest,
                    biasShares: Tensor(shape: [fitted, tower.embeddingWidth], elements: biasShares[index]))
                return (largest.thresholds, DirectionReadings(lenses[index], directions: directions.directions))
            }
            self.init(effects: tables, thresholds: fits.map(\.0), readings: fits.map(\.1))
        } catch {
            preconditionFailure("the lens refuses random weights: \(error)")
        }
    }
}

extension EffectSums {
    /// The sums divided by the number of images.
    var means: EffectMeans {
        let scale = 1 / Float(images)
        func mean(_ sums: FloatBuffer) -> [Float] { sums.elements.map { scale * $0 } }
        return EffectMeans(
            coordinates: Tensor(shape: [lens.neurons, lens.headCount], elements: mean(coordinates)),
            biasShare: mean(biasShare), total: mean(total),
            activations: Tensor(
                shape: [activations.count / lens.neurons, lens.neurons], elements: mean(activations)))
    }
}

/// What the centred effects of some layers are made with; all workers read it.
struct EffectTables {
    let lenses: [SecondOrderLens]
    let factors: [Tensor]
    let means: [EffectMeans]

    /// The centred effects of each layer, with memory of a worker's own.
    func effects(capacity: Int) -> [CentredEffects] {
        let scratch = EffectScratch(lenses, capacity: capacity)
        return lenses.indices.map {
            CentredEffects(lenses[$0], factors: factors[$0], means: means[$0], scratch: scratch)
        }
    }
}
