import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// Of a run of fit images, for each layer: the effects that reach their neuron's floor, and δb of every image.
/// A layer is read from its file when it is asked for.
struct LargeEffectsPart: Artefact {
    struct Layer: Sendable, Equatable {
        var effects: LargeEffects
        /// δb. // [images, d]
        var biasShares: Tensor
    }

    private let file: StoredArtefact

    init(layers: [Int: Layer]) throws {
        file = try LayerTensors.write(layers) { layer in
            let effects = layer.effects
            return [
                "offsets": try StoredTensor(effects.offsets, shape: [effects.offsets.count]),
                "norms": try StoredTensor(effects.norms, shape: [effects.norms.count]),
                "images": try StoredTensor(effects.images, shape: [effects.images.count]),
                "coordinates": try effects.coordinates.stored(),
                "bias-shares": try layer.biasShares.stored(),
            ]
        }
    }

    init(_ stored: StoredArtefact) throws { file = stored }

    func stored() throws -> StoredArtefact { file }

    /// - Throws: `PipelineError.invalidArtefact`.
    func layer(_ layer: Int) throws -> Layer {
        Layer(
            effects: LargeEffects(
                offsets: try file.tensor("\(layer).offsets").int32s(), norms: try file.list("\(layer).norms"),
                images: try file.tensor("\(layer).images").int32s(),
                coordinates: try file.numbers("\(layer).coordinates", dimensions: 2)),
            biasShares: try file.numbers("\(layer).bias-shares", dimensions: 2))
    }
}

enum LargestEffectsStep {
    /// - Parameter count: images that a neuron's direction will be fitted to.
    ///
    /// The shards stay apart: together they take gigabytes for a large model, and are read a layer at a time.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, means: StepHandle<FittedMeans>, count: Int,
        in graph: inout Graph
    ) throws -> StepHandle<Shards<LargeEffectsPart>> {
        // As many reach their floor as make the largest, and some more; all, where there are no floors.
        let kept = images.count - images.perShard < count ? images.perShard : 1 + 3 * count * images.perShard / (2 * images.count)
        let factors = Shared { try model.lenses(layers).map { try $0.choleskyFactors() } }
        return try graph.add(
            Step(
                kind: "largest-effects", version: 3, parameters: ["layers": .integers(layers)],
                inputs: [images.images.erased, means.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, kept: min(kept, images.perShard)),
                work: .shards(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, means) = (ImageReader(try inputs[images.images]), try inputs[means])
                        let vision = try model.clip.value().vision
                        let pass = EffectPass(vision, layers: layers, capacity: model.batch)
                        let effects = try zip(try model.lenses(layers), try factors.value()).map { lens, factors in
                            CentredEffects(
                                lens, factors: factors, means: try means.layer(lens.layer), capacity: model.batch)
                        }
                        let floors = try layers.map { try means.floors($0) }
                        return { shard in
                            let collectors = effects.map {
                                LargeEffectsCollector(neurons: $0.lens.neurons, headCount: $0.lens.headCount)
                            }
                            var biasShares = [[Float]](repeating: [], count: layers.count)
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { start in
                                for (index, effects) in effects.enumerated() {
                                    effects.update(pass)
                                    effects.evaluateNorms(above: floors[index])
                                    collectors[index].insert(effects, floors: floors[index], batch: pass.batch, firstImage: start)
                                    biasShares[index] += UnsafeBufferPointer(
                                        start: effects.biasShares.base, count: pass.batch * vision.embeddingWidth)
                                }
                            }
                            return try LargeEffectsPart(
                                layers: layers.indices.reduce(into: [:]) { result, index in
                                    result[layers[index]] = .init(
                                        effects: collectors[index].result(),
                                        biasShares: Tensor(
                                            shape: [shard.units.count, vision.embeddingWidth], elements: biasShares[index]))
                                })
                        }
                    })))
    }
}
