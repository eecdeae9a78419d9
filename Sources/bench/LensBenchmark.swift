import CLIPModel
import DenseMath
import Dispatch
import Lens

/// What the lens adds to a forward pass: capture, coordinates, bias shares, norms and all conditions
/// of mean-ablation, for every layer with a later attention layer.
struct LensBenchmark {
    static let goal = 0.15
    /// The second largest of this many norms is each neuron's threshold, so about 2 % are above it.
    private static let fitCount = 96
    private static let kept = 2

    private let model: BenchmarkModel
    private let tower: VisionTransformer
    private let plain: VisionWorkspace
    private let pass: EffectPass
    private let ablations: [MeanAblation]

    init(_ model: BenchmarkModel, _ tower: VisionTransformer) {
        self.model = model
        self.tower = tower
        plain = VisionWorkspace(tower, capacity: model.batch)
        let layers = Array(0..<tower.blocks.count - 1)
        let paths = ValueOutputPaths(tower)
        let pass = EffectPass(tower, layers: layers, capacity: model.batch)
        self.pass = pass
        let images = model.images(Self.fitCount, seed: 4)
        func forEachBatch(_ body: (Int) -> Void) {
            let size = images.count / Self.fitCount
            images.withUnsafeBufferPointer { pixels in
                guard let base = pixels.baseAddress else { return }
                for start in stride(from: 0, to: Self.fitCount, by: model.batch) {
                    pass.run(base + start * size, batch: min(model.batch, Self.fitCount - start))
                    body(start)
                }
            }
        }
        do {
            let lenses = try layers.map { try SecondOrderLens(layer: $0, paths: paths, vision: tower) }
            let sums = lenses.map { EffectSums($0, tokens: tower.tokens, capacity: model.batch) }
            forEachBatch { _ in sums.forEach { $0.add(pass) } }
            let means = sums.map(\.means)
            let scratch = EffectScratch(lenses, capacity: model.batch)
            let effects = try zip(lenses, means).map {
                CentredEffects($0, factors: try $0.choleskyFactors(), means: $1, scratch: scratch)
            }
            let collectors = lenses.map { LargeEffectsCollector(neurons: $0.neurons, headCount: $0.headCount) }
            let floors = [Float](repeating: 0, count: model.configuration.mlpWidth)
            var biasShares = lenses.map { _ in [Float]() }
            forEachBatch { start in
                for (index, effects) in effects.enumerated() {
                    effects.update(pass)
                    effects.evaluateNorms()
                    collectors[index].insert(effects, floors: floors, batch: pass.batch, firstImage: start)
                    biasShares[index] += effects.biasShares.elements.prefix(pass.batch * tower.embeddingWidth)
                }
            }
            ablations = try lenses.indices.map { index in
                guard let largest = LargestEffects([collectors[index].result()], count: Self.kept) else {
                    preconditionFailure("every image is kept")
                }
                let directions = try PrincipalDirections(
                    lenses[index], largest: largest,
                    biasShares: Tensor(shape: [Self.fitCount, tower.embeddingWidth], elements: biasShares[index]))
                return MeanAblation(
                    effects[index], means: means[index], thresholds: largest.thresholds,
                    readings: DirectionReadings(lenses[index], directions: directions.directions), capacity: model.batch)
            }
        } catch {
            preconditionFailure("the lens refuses random weights: \(error)")
        }
    }

    /// Forward pass without and with the lens by turns; a pair of neighbours makes a ratio.
    func run(repeats: Int) -> [String] {
        let images = model.images(model.batch, seed: 5)
        var (forward, lens, added) = ([Double](), [Double](), [Double]())
        var significant = 0
        var breakdown: [String] = []
        images.withUnsafeBufferPointer { pixels in
            guard let base = pixels.baseAddress else { return }
            func time(_ body: () -> Void) -> Double {
                let start = DispatchTime.now()
                body()
                return start.seconds
            }
            func withLens() {
                pass.run(base, batch: model.batch)
                for ablation in ablations { ablation.update(pass, firstImage: 0, seed: 6) }
            }
            tower(base, batch: model.batch, plain)  // touches all memory
            withLens()
            for _ in 0..<repeats {
                let without = time { tower(base, batch: model.batch, plain) }
                let with = time(withLens)
                forward.append(1000 * without / Double(model.batch))
                lens.append(1000 * (with - without) / Double(model.batch))
                added.append(100 * (with / without - 1))
            }
            breakdown = LensProfile(
                plain: { tower(base, batch: model.batch, plain) }, withLens: withLens, images: repeats * model.batch, repeats: repeats
            ).lines("\(model.name), 1 worker × batch \(model.batch)")
            significant = ablations.reduce(0) { $0 + $1.significant.reduce(0, +) }
        }
        let share = Double(significant) / Double(ablations.count * model.batch * model.configuration.mlpWidth)
        let title = "\(model.name), 1 worker × batch \(model.batch)"
        return [
            Report.line("\(title): plain forward pass", forward, unit: "ms/image"),
            Report.line("\(title): lens of \(ablations.count) layers, more", lens, unit: "ms/image"),
            Report.line("\(title): significant effects", [100 * share], unit: "%"),
            Report.line("\(title): lens over forward pass", added, unit: "%", goal: .atMost(100 * Self.goal)),
        ] + breakdown
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
