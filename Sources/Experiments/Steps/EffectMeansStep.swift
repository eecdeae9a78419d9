import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// Means over the fit set, by layer.
struct FittedMeans: Artefact {
    let layers: [Int: EffectMeans]

    init(layers: [Int: EffectMeans]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            EffectMeans(
                coordinates: try stored.numbers("\(layer).coordinates", dimensions: 2),
                biasShare: try stored.list("\(layer).bias-share"), total: try stored.list("\(layer).total"),
                activations: try stored.numbers("\(layer).activations", dimensions: 2))
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { means in
            [
                "coordinates": try means.coordinates.stored(),
                "bias-share": try StoredTensor(means.biasShare, shape: [means.biasShare.count]),
                "total": try StoredTensor(means.total, shape: [means.total.count]),
                "activations": try means.activations.stored(),
            ]
        }
    }
}

enum EffectMeansStep {
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, in graph: inout Graph
    ) throws -> StepHandle<FittedMeans> {
        try graph.add(
            Step(
                kind: "effect-means", version: 1, parameters: ["layers": .integers(layers)],
                inputs: [images.handle.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, images: images.count),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let scenes = try inputs[images.handle]
                        let vision = try model.clip.value().vision
                        let pass = EffectPass(vision, layers: layers, capacity: model.batch)
                        let sums = try model.lenses(layers).map {
                            EffectSums($0, tokens: vision.tokens, capacity: model.batch)
                        }
                        return { shard in
                            for sum in sums { sum.reset() }
                            try ImageShards.forEachBatch(shard.units, of: scenes, named: images.name, pass, inputs) { _ in
                                for sum in sums { sum.add(pass) }
                            }
                            // Sums have the form of means; the reduction divides them.
                            return FittedMeans(layers: sums.reduce(into: [:]) { $0[$1.lens.layer] = $1.values })
                        }
                    },
                    reduce: { _, shards in
                        // Double precision, in shard order: the sum of thousands of images keeps its digits.
                        var totals: [Int: MeanTotals] = [:]
                        try shards.forEach { _, part in
                            for (layer, sums) in part.layers { totals[layer, default: MeanTotals(like: sums)].add(sums) }
                        }
                        return FittedMeans(layers: totals.mapValues { $0.divided(by: images.count) })
                    })))
    }
}

/// Sums over shards in double precision.
private struct MeanTotals {
    private let shapes: (coordinates: [Int], activations: [Int])
    private var coordinates, biasShare, total, activations: [Double]

    init(like sums: EffectMeans) {
        shapes = (sums.coordinates.shape, sums.activations.shape)
        coordinates = [Double](repeating: 0, count: sums.coordinates.elements.count)
        biasShare = [Double](repeating: 0, count: sums.biasShare.count)
        total = [Double](repeating: 0, count: sums.total.count)
        activations = [Double](repeating: 0, count: sums.activations.elements.count)
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
