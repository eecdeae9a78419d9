import CLIPModel
import DenseMath
import Lens
import Pipeline

enum EffectMeansStep {
    /// Means over a set of images in one pass, which also finds bounds below the neurons' thresholds: the first
    /// images give a provisional mean, from which the norms of all others are measured.
    /// - Parameter count: images that each neuron is going to keep.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, count: Int, in graph: inout Graph
    ) throws -> StepHandle<FittedMeans> {
        let firstCount = min(images.perShard, images.count)
        let lenses = model.lensParts(layers)
        let first = try graph.add(
            Step(
                kind: "effect-sums", label: "first images", version: 1, parameters: ["layers": .integers(layers)],
                inputs: [images.images.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, .sums), cost: model.passCost(layers: layers) { $0.sums($1) },
                work: .map(
                    units: firstCount, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let worker = try SumsWorker(model, inputs.parts(lenses), images: images, inputs)
                        return { try worker.sums($0.units) }
                    },
                    reduce: { _, shards in
                        var part = EffectSumsPart(sums: [:], bounds: [:])
                        try shards.forEach { _, only in part = only }
                        return part
                    })))

        let factored = model.factoredLensParts(layers)
        return try graph.add(
            Step(
                kind: "effect-means", version: 2,
                parameters: ["layers": .integers(layers), "images-per-neuron": .integer(count)],
                inputs: [images.images.erased, first.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, [.effects, .sums]),
                cost: model.passCost(layers: layers, fixed: { $0.factors($1) }, perImage: { $0.sums($1) + $0.centred($1) }),
                work: .map(
                    units: images.count - firstCount, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let provisional = try inputs[first].sums.mapValues { MeanTotals($0).divided(by: firstCount) }
                        let lenses = try inputs.parts(factored)
                        let worker = try SumsWorker(
                            model, lenses.map(\.lens), images: images, inputs, from: provisional, factors: lenses.map(\.factors),
                            keeping: count)
                        return { try worker.sums($0.units.lowerBound + firstCount..<$0.units.upperBound + firstCount) }
                    },
                    reduce: { inputs, shards in
                        let (sums, lenses) = (try inputs[first].sums, try inputs.parts(factored))
                        // Double precision, in the order of the images: the sum of thousands keeps its digits.
                        var totals = sums.mapValues { MeanTotals($0) }
                        var found = lenses.reduce(into: [Int: NormFloors]()) {
                            $0[$1.lens.layer] = NormFloors(neurons: $1.lens.neurons, capacity: count)
                        }
                        try shards.forEach { shard, part in
                            for (layer, sums) in part.sums { totals[layer]?.add(sums) }
                            for (layer, bounds) in part.bounds {
                                found[layer]?.insert(bounds, firstImage: firstCount + shard.units.lowerBound)
                            }
                        }
                        let means = totals.mapValues { $0.divided(by: images.count) }
                        return FittedMeans(
                            layers: means,
                            floors: try lenses.reduce(into: [:]) { floors, part in
                                let lens = part.lens
                                guard let mean = means[lens.layer], let sum = sums[lens.layer], let bounds = found.removeValue(forKey: lens.layer)
                                else { throw PipelineError.invalidArtefact(part: "\(lens.layer)", reason: "missing layer") }
                                floors[lens.layer] = bounds.floors(
                                    shift: lens.distances(mean, MeanTotals(sum).divided(by: firstCount), factors: part.factors))
                            })
                    })))
    }
}

/// Sums over images and, from a provisional mean, bounds of norms.
private final class SumsWorker {
    private let pass: EffectPass
    private let sums: [EffectSums]
    /// Centred at the provisional means; none without them.
    private let effects: [CentredEffects]
    private let count: Int
    private let reader: ImageReader
    private let images: ImageSource
    private let inputs: Inputs

    init(
        _ model: ModelUnderStudy, _ lenses: [SecondOrderLens], images: ImageSource, _ inputs: Inputs,
        from provisional: [Int: EffectMeans] = [:], factors: [Tensor] = [], keeping count: Int = 1
    ) throws {
        let vision = try model.clip.value().vision
        pass = EffectPass(vision, layers: lenses.map(\.layer), capacity: model.batch)
        sums = lenses.map { EffectSums($0, tokens: vision.tokens, capacity: model.batch) }
        let scratch = EffectScratch(factors.isEmpty ? [] : lenses, capacity: model.batch)
        effects = zip(lenses, factors).compactMap { lens, factors in
            provisional[lens.layer].map { CentredEffects(lens, factors: factors, means: $0, scratch: scratch) }
        }
        reader = ImageReader(try inputs[images.images])
        (self.images, self.inputs, self.count) = (images, inputs, count)
    }

    /// - Throws: as `ImageShards.forEachBatch`.
    func sums(_ run: Range<Int>) throws -> EffectSumsPart {
        for sum in sums { sum.reset() }
        let floors = effects.map { NormFloors(neurons: $0.lens.neurons, capacity: count) }
        try ImageShards.forEachBatch(run, of: reader, named: images.name, pass, inputs) { start in
            for sum in sums { sum.add(pass) }
            for (effects, floors) in zip(effects, floors) {
                effects.update(pass)
                floors.insert(effects, batch: pass.batch, firstImage: start)
            }
        }
        return EffectSumsPart(
            sums: sums.reduce(into: [:]) { $0[$1.lens.layer] = $1.values },
            bounds: zip(effects, floors).reduce(into: [:]) { $0[$1.0.lens.layer] = $1.1.bounds })
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
            activations: Tensor(shape: [activations.count / lens.neurons, lens.neurons], elements: activations.elements))
    }
}
