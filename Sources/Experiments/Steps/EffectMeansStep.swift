import CLIPModel
import DenseMath
import Lens
import Pipeline

/// Means over the fit set of each layer, and what they say of norms.
typealias FittedMeans = ByLayer<LayerMeans>

struct LayerMeans: ColumnSet {
    var means = EffectMeans()
    /// Bounds below every neuron's threshold, see `NormFloors`. // [N]
    var floors: [Float] = []

    static let columns: [Column<Self>] = [.table("", \.means), .rows("floors", \.floors, of: "neurons")]
}

/// Sums over some images of each layer, in the form of means, and how far those images' effects lie from a provisional mean.
typealias EffectSumsPart = ByLayer<LayerSums>

struct LayerSums: ColumnSet {
    var sums = EffectMeans()
    /// `NormFloors.bounds`; empty without a provisional mean. // [N, at most C]
    var bounds = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.table("", \.sums), .shared("bounds", \.bounds, dimensions: 2)]
}

extension EffectMeans: ColumnSet {
    init() {
        self.init(coordinates: Tensor(zeros: [0, 0]), biasShare: [], total: [], activations: Tensor(zeros: [0, 0]))
    }

    static let columns: [Column<Self>] = [
        .rows("coordinates", \.coordinates, of: "neurons"), .shared("bias-share", \.biasShare),
        .shared("total", \.total),
        .shared("activations", \.activations, dimensions: 2),
    ]
}

/// The sums over the first images, which give the provisional mean of ``EffectMeansStep``.
struct FirstEffectSumsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let count: Int

    func step() throws -> Step<EffectSumsPart> {
        let lenses = model.lensParts(layers)
        return Step(
            kind: "effect-sums", label: "first images", version: 2, parameters: ["layers": .integers(layers)],
            inputs: [images.images.erased], digests: ["model": model.digest],
            memory: model.memory(layers: layers, .sums), cost: model.passCost(layers: layers) { $0.sums($1) },
            work: try .joined(units: count, unitsPerShard: max(count, 1)) { inputs in
                let worker = try SumsWorker(model, inputs.parts(lenses), images: images, inputs)
                return { try worker.sums($0.units) }
            })
    }
}

/// Means over a set of images in one pass, which also finds bounds below the neurons' thresholds: the first images give a
/// provisional mean, from which the norms of all others are measured.
struct EffectMeansStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    /// The sums over the first images.
    let first: StepHandle<EffectSumsPart>
    let firstCount: Int
    /// Images that each neuron is going to keep.
    let count: Int

    /// - Parameter count: images that each neuron is going to keep.
    static func add(
        _ model: StudyModel, layers: [Int], images: ImageSource, count: Int, in graph: inout Graph
    ) throws -> StepHandle<FittedMeans> {
        let firstCount = min(images.perShard, images.count)
        let first = try graph.add(FirstEffectSumsStep(model: model, layers: layers, images: images, count: firstCount))
        return try graph.add(
            EffectMeansStep(
                model: model, layers: layers, images: images, first: first, firstCount: firstCount, count: count))
    }

    func step() throws -> Step<FittedMeans> {
        let factored = model.factoredLensParts(layers)
        return Step(
            kind: "effect-means", version: 3,
            parameters: ["layers": .integers(layers), "images-per-neuron": .integer(count)],
            inputs: [images.images.erased, first.erased], digests: ["model": model.digest],
            memory: model.memory(layers: layers, [.effects, .sums]),
            cost: model.passCost(layers: layers, fixed: { $0.factors($1) }, perImage: { $0.sums($1) + $0.centred($1) }),
            work: try .map(
                units: images.count - firstCount, unitsPerShard: images.perShard,
                makeWorker: { inputs in
                    let provisional = try inputs[first].layers.mapValues { MeanTotals($0.sums).divided(by: firstCount) }
                    let lenses = try inputs.parts(factored)
                    let worker = try SumsWorker(
                        model, lenses.map(\.lens), images: images, inputs, from: provisional,
                        factors: lenses.map(\.factors),
                        keeping: count)
                    return { try worker.sums($0.units.lowerBound + firstCount..<$0.units.upperBound + firstCount) }
                },
                reduce: { try means(of: $1, first: $0[first], lenses: $0.parts(factored)) }))
    }

    private func means(
        of parts: ShardOutputs<EffectSumsPart>, first: EffectSumsPart, lenses: [FactoredLens]
    ) throws -> FittedMeans {
        // Double precision, in the order of the images: the sum of thousands keeps its digits.
        var totals = first.layers.mapValues { MeanTotals($0.sums) }
        var found = lenses.reduce(into: [Int: NormFloors]()) {
            $0[$1.lens.layer] = NormFloors(neurons: $1.lens.neurons, capacity: count)
        }
        try parts.forEach { shard, part in
            for (layer, part) in part.layers {
                totals[layer]?.add(part.sums)
                found[layer]?.insert(part.bounds, firstImage: firstCount + shard.units.lowerBound)
            }
        }
        return FittedMeans(
            layers: try lenses.reduce(into: [:]) { layers, part in
                let layer = part.lens.layer
                guard let mean = totals[layer]?.divided(by: images.count), let bounds = found.removeValue(forKey: layer)
                else { throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer") }
                let provisional = try MeanTotals(first.layer(layer).sums).divided(by: firstCount)
                layers[layer] = LayerMeans(
                    means: mean,
                    floors: bounds.floors(shift: part.lens.distances(mean, provisional, factors: part.factors)))
            })
    }
}

/// Sums over images and, from a provisional mean, bounds of norms.
private final class SumsWorker {
    private let workspace: EffectWorkspace
    private let sums: [EffectSums]
    /// Centred at the provisional means; none without them.
    private let effects: [CentredEffects]
    private let count: Int
    private let runs: ImageRuns

    init(
        _ model: StudyModel, _ lenses: [SecondOrderLens], images: ImageSource, _ inputs: StepInputs,
        from provisional: [Int: EffectMeans] = [:], factors: [Tensor] = [], keeping count: Int = 1
    ) throws {
        let vision = try model.clip.value().vision
        workspace = EffectWorkspace(vision, layers: lenses.map(\.layer), capacity: model.batch)
        sums = lenses.map { EffectSums($0, tokens: vision.tokens, capacity: model.batch) }
        let scratch = EffectScratch(factors.isEmpty ? [] : lenses, capacity: model.batch)
        effects = zip(lenses, factors).compactMap { lens, factors in
            provisional[lens.layer].map { CentredEffects(lens, factors: factors, means: $0, scratch: scratch) }
        }
        runs = try ImageRuns(images, inputs)
        self.count = count
    }

    /// - Throws: as ``ImageRuns/batches(_:_:)``.
    func sums(_ images: Range<Int>) throws -> EffectSumsPart {
        for sum in sums { sum.reset() }
        var floors = effects.map { NormFloors(neurons: $0.lens.neurons, capacity: count) }
        try runs.batches(workspace) { (floors: inout [NormFloors], pass, first) in
            for sum in self.sums { sum.add(pass) }
            for (effects, floors) in zip(self.effects, floors) {
                floors.insert(effects.run(pass), firstImage: first)
            }
        }(images, &floors)
        var result = EffectSumsPart(layers: sums.reduce(into: [:]) { $0[$1.lens.layer] = LayerSums(sums: $1.values) })
        for (effects, floors) in zip(effects, floors) { result.layers[effects.lens.layer]?.bounds = floors.bounds }
        return result
    }
}

/// Sums over shards in double precision.
private struct MeanTotals {
    private let shapes: (coordinates: [Int], activations: [Int])
    private var coordinates, biasShare, total, activations: [Double]

    /// The first of the sums.
    init(_ sums: EffectMeans) {
        shapes = (sums.coordinates.shape, sums.activations.shape)
        coordinates = sums.coordinates.elements.map(Double.init)
        biasShare = sums.biasShare.map(Double.init)
        total = sums.total.map(Double.init)
        activations = sums.activations.elements.map(Double.init)
    }

    mutating func add(_ sums: EffectMeans) {
        func add(_ values: [Float], to totals: inout [Double]) {
            for i in values.indices { totals[i] += Double(values[i]) }
        }
        add(sums.coordinates.elements, to: &coordinates)
        add(sums.biasShare, to: &biasShare)
        add(sums.total, to: &total)
        add(sums.activations.elements, to: &activations)
    }

    func divided(by count: Int) -> EffectMeans {
        func mean(_ totals: [Double]) -> [Float] { totals.map { Float($0 / Double(count)) } }
        return EffectMeans(
            coordinates: Tensor(shape: shapes.coordinates, elements: mean(coordinates)), biasShare: mean(biasShare),
            total: mean(total), activations: Tensor(shape: shapes.activations, elements: mean(activations)))
    }
}

extension EffectSums {
    /// The sums, in the form of means.
    fileprivate var values: EffectMeans {
        EffectMeans(
            coordinates: Tensor(shape: [lens.neurons, lens.headCount], elements: coordinates.elements),
            biasShare: biasShare.elements, total: total.elements,
            activations: Tensor(
                shape: [activations.count / lens.neurons, lens.neurons], elements: activations.elements))
    }
}
