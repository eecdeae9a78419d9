import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// How far each neuron's centred effect goes along its direction on each image: ⟨φ_n − φ̄_n, r_n⟩.
struct NeuronEffects: Artefact {
    /// By layer. // [images, N]
    var effects: [Int: Tensor]
    /// c·r(I). // [images, d]
    var representations: Tensor

    init(effects: [Int: Tensor], representations: Tensor) {
        self.effects = effects
        self.representations = representations
    }

    init(_ stored: StoredArtefact) throws {
        effects = try LayerTensors.read(stored) { try stored.numbers("\($0).effects", dimensions: 2) }
        representations = try stored.numbers("representations", dimensions: 2)
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(var tensors, let metadata) = try LayerTensors.write(effects, { ["effects": try $0.stored()] }) else {
            throw PipelineError.wrongArtefactForm(wanted: "tensors")
        }
        tensors["representations"] = try representations.stored()
        return .tensors(tensors, metadata: metadata)
    }
}

enum NeuronEffectsStep {
    static func add(
        _ study: Study, images: ImageSource, fitted: Study.Fitted, in graph: inout Graph
    ) throws -> StepHandle<NeuronEffects> {
        let (model, layers) = (study.model, study.layers)
        let (N, d) = (model.configuration.vision.mlpWidth, model.configuration.embeddingWidth)
        let factored = model.factoredLensParts(layers)
        let readings = factored.readings { try $0[fitted.directions].layer($1.layer).directions.directions }
        return try graph.add(
            Step(
                kind: "neuron-effects", version: 1,
                parameters: ["layers": .integers(layers), "images": .integer(images.count)],
                inputs: [images.images.erased, fitted.means.erased, fitted.directions.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers),
                cost: model.passCost(
                    layers: layers, fixed: { $0.factors($1) + $0.readings($1) }, perImage: { $0.centred($1) + $0.projections($1) }),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let reader = ImageReader(try inputs[images.images])
                        let projected = try ProjectedEffects(
                            model, inputs.parts(factored), inputs.parts(readings), means: inputs[fitted.means])
                        let pass = projected.pass
                        return { shard in
                            var result = NeuronEffects(
                                effects: layers.reduce(into: [:]) { $0[$1] = Tensor(zeros: [shard.units.count, N]) },
                                representations: Tensor(zeros: [shard.units.count, d]))
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { start in
                                let first = start - shard.units.lowerBound
                                projected.forEachLayer { effects, projections in
                                    for image in 0..<pass.batch {
                                        for n in 0..<N {
                                            result.effects[effects.lens.layer]?.elements[(first + image) * N + n] =
                                                projections[n * pass.batch + image]
                                        }
                                    }
                                }
                                for i in 0..<pass.batch * d {
                                    result.representations.elements[first * d + i] = pass.representations.base[i]
                                }
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var (effects, representations) = ([Int: [Float]](), [Float]())
                        try shards.forEach { _, part in
                            for (layer, values) in part.effects { effects[layer, default: []] += values.elements }
                            representations += part.representations.elements
                        }
                        return NeuronEffects(
                            effects: effects.mapValues { Tensor(shape: [images.count, N], elements: $0) },
                            representations: Tensor(shape: [images.count, d], elements: representations))
                    })))
    }
}
