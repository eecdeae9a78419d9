import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// For each layer the fit images with the largest effects of every neuron, and δb of every fit image.
struct FittedLargestEffects: Artefact {
    struct Layer: Sendable {
        var largest: LargestEffects
        /// δb. // [images, d]
        var biasShares: Tensor
    }

    var layers: [Int: Layer]

    init(layers: [Int: Layer]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                largest: LargestEffects(
                    norms: try stored.numbers("\(layer).norms", dimensions: 2),
                    images: try stored.tensor("\(layer).images").int32s(),
                    coordinates: try stored.numbers("\(layer).coordinates", dimensions: 3)),
                biasShares: try stored.numbers("\(layer).bias-shares", dimensions: 2))
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { layer in
            [
                "norms": try layer.largest.norms.stored(),
                "images": try StoredTensor(layer.largest.images, shape: layer.largest.norms.shape),
                "coordinates": try layer.largest.coordinates.stored(),
                "bias-shares": try layer.biasShares.stored(),
            ]
        }
    }
}

enum LargestEffectsStep {
    /// - Parameter count: images kept for each neuron.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, means: StepHandle<FittedMeans>, count: Int,
        in graph: inout Graph
    ) throws -> StepHandle<FittedLargestEffects> {
        let factors = Shared { try model.lenses(layers).map { try $0.choleskyFactors() } }
        return try graph.add(
            Step(
                kind: "largest-effects", version: 2,
                parameters: ["layers": .integers(layers), "images-per-neuron": .integer(count)],
                inputs: [images.handle.erased, means.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, images: images.count, kept: count),
                work: .map(
                    // Larger shards: each stores up to `count` candidates for every neuron.
                    units: images.count, unitsPerShard: 2 * images.perShard,
                    makeWorker: { inputs in
                        let (scenes, means) = (try inputs[images.handle], try inputs[means])
                        let vision = try model.clip.value().vision
                        let pass = EffectPass(vision, layers: layers, capacity: model.batch)
                        let effects = try zip(try model.lenses(layers), try factors.value()).map { lens, factors in
                            CentredEffects(
                                lens, factors: factors, means: try means.layer(lens.layer), capacity: model.batch)
                        }
                        return { shard in
                            let accumulators = effects.map {
                                LargestEffectsAccumulator(
                                    neurons: $0.lens.neurons, headCount: $0.lens.headCount, capacity: count)
                            }
                            var biasShares = [[Float]](repeating: [], count: layers.count)
                            try ImageShards.forEachBatch(shard.units, of: scenes, named: images.name, pass, inputs) { start in
                                for (index, effects) in effects.enumerated() {
                                    effects.update(pass)
                                    effects.evaluateNorms()
                                    accumulators[index].insert(effects, batch: pass.batch, firstImage: start)
                                    let values = UnsafeBufferPointer(
                                        start: effects.biasShares.base, count: pass.batch * vision.embeddingWidth)
                                    biasShares[index] += values
                                }
                            }
                            return FittedLargestEffects(
                                layers: layers.indices.reduce(into: [:]) { result, index in
                                    result[layers[index]] = .init(
                                        largest: accumulators[index].result(),
                                        biasShares: Tensor(
                                            shape: [shard.units.count, vision.embeddingWidth], elements: biasShares[index]))
                                })
                        }
                    },
                    reduce: { _, shards in
                        var merged: FittedLargestEffects?
                        try shards.forEach { _, part in
                            merged = merged.map { $0.merged(with: part, keeping: count) } ?? part
                        }
                        return merged ?? FittedLargestEffects(layers: [:])
                    })))
    }
}

extension FittedMeans {
    /// - Throws: `PipelineError.invalidArtefact` where the artefact lacks the layer.
    func layer(_ layer: Int) throws -> EffectMeans {
        guard let means = layers[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
        }
        return means
    }
}

extension FittedLargestEffects {
    /// The part that follows in the order of the images joins.
    fileprivate func merged(with next: FittedLargestEffects, keeping count: Int) -> FittedLargestEffects {
        FittedLargestEffects(
            layers: layers.reduce(into: [:]) { result, entry in
                guard let other = next.layers[entry.key] else { return }
                let shares = entry.value.biasShares
                result[entry.key] = .init(
                    largest: entry.value.largest.merged(with: other.largest, keeping: count),
                    biasShares: Tensor(
                        shape: [shares.shape[0] + other.biasShares.shape[0], shares.shape[1]],
                        elements: shares.elements + other.biasShares.elements))
            })
    }
}
