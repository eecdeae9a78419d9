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

    /// - Parameter layer: makes a layer, one after the other: of all of them together there is one copy.
    init(layers: [Int], _ layer: (Int) throws -> Layer) throws {
        file = try LayerTensors.write(layers) { index in
            let layer = try layer(index)
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
        let factored = model.factoredLensParts(layers)
        return try graph.add(
            Step(
                kind: "largest-effects", version: 3, parameters: ["layers": .integers(layers)],
                inputs: [images.images.erased, means.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, kept: min(kept, images.perShard)),
                cost: model.passCost(layers: layers, fixed: { $0.factors($1) }, perImage: { $0.centred($1) + $0.norms($1) }),
                work: .shards(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, means) = (ImageReader(try inputs[images.images]), try inputs[means])
                        let vision = try model.clip.value().vision
                        let pass = EffectPass(vision, layers: layers, capacity: model.batch)
                        let lenses = try inputs.parts(factored)
                        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
                        let effects = try lenses.map {
                            CentredEffects($0.lens, factors: $0.factors, means: try means.layer($0.lens.layer), scratch: scratch)
                        }
                        let floors = try layers.map { try means.floors($0) }
                        return { shard in
                            var collectors = effects.reduce(into: [:]) {
                                $0[$1.lens.layer] = LargeEffectsCollector(neurons: $1.lens.neurons, headCount: $1.lens.headCount)
                            }
                            var biasShares: [Int: [Float]] = [:]
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { start in
                                for (index, effects) in effects.enumerated() {
                                    effects.update(pass)
                                    effects.evaluateNorms(above: floors[index])
                                    collectors[effects.lens.layer]?.insert(
                                        effects, floors: floors[index], batch: pass.batch, firstImage: start)
                                    biasShares[effects.lens.layer, default: []] += UnsafeBufferPointer(
                                        start: effects.biasShares.base, count: pass.batch * vision.embeddingWidth)
                                }
                            }
                            return try LargeEffectsPart(layers: layers) { layer in
                                guard let collector = collectors.removeValue(forKey: layer), let shares = biasShares[layer]
                                else { preconditionFailure("layer \(layer) was not looked at") }
                                return .init(
                                    effects: collector.result(),
                                    biasShares: Tensor(shape: [shard.units.count, vision.embeddingWidth], elements: shares))
                            }
                        }
                    })))
    }
}
