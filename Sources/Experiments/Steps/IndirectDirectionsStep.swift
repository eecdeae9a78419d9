import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// First principal directions of the indirect effects of single neurons, and the share of the variance
/// along them, for a seeded sample of neurons of each layer.
struct IndirectDirections: Artefact {
    struct Layer: Sendable {
        /// Which neurons were sampled, ascending. // [n]
        var neurons: [Int32]
        /// Of these neurons, in their order. // [n, d]
        var directions: PrincipalDirections
    }

    var layers: [Int: Layer]

    init(layers: [Int: Layer]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                neurons: try stored.tensor("\(layer).neurons").int32s(),
                directions: PrincipalDirections(
                    directions: try stored.numbers("\(layer).directions", dimensions: 2),
                    explainedVariance: try stored.list("\(layer).explained-variance")))
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { layer in
            [
                "neurons": try StoredTensor(layer.neurons, shape: [layer.neurons.count]),
                "directions": try layer.directions.directions.stored(),
                "explained-variance": try StoredTensor(layer.directions.explainedVariance, shape: [layer.neurons.count]),
            ]
        }
    }
}

enum IndirectDirectionsStep {
    /// Neurons that share the forward passes that lead up to them.
    private static let neuronsPerShard = 16

    static func add(
        _ study: Study, means: StepHandle<FittedMeans>, sample: IndirectSample, in graph: inout Graph
    ) throws -> StepHandle<IndirectDirections> {
        let (model, images, layers) = (study.model, study.fit, sample.layers ?? study.layers)
        let (imageCount, keeping, seed) = (min(sample.images, images.count), study.spec.significantImages, study.spec.seed)
        let neurons = layers.flatMap { layer in
            var random = SplitMix64(seed: UInt64(seed), label: "indirect sample", index: UInt64(layer))
            return random.sample(sample.neurons, of: model.configuration.vision.mlpWidth).sorted().map { (layer, $0) }
        }
        return try graph.add(
            Step(
                kind: "indirect-directions", version: 1,
                parameters: [
                    "layers": .integers(layers), "neurons": .integer(sample.neurons), "images": .integer(imageCount),
                    "keeping": .integer(keeping), "seed": .integer(seed),
                ],
                inputs: [images.images.erased, means.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers, .resumed),
                cost: model.imageCost(
                    perUnit: Double(imageCount) / Double(max(layers.count, 1)) * layers.reduce(0) {
                        $0 + model.operations.indirect($1) + model.operations.forward / Double(neuronsPerShard)
                    }),
                work: .map(
                    units: neurons.count, unitsPerShard: neuronsPerShard,
                    makeWorker: { inputs in
                        let (reader, means) = (ImageReader(try inputs[images.images]), try inputs[means])
                        let vision = try model.clip.value().vision
                        return { shard in
                            let chosen = Dictionary(grouping: neurons[shard.units]) { $0.0 }.mapValues { $0.map(\.1) }
                            return IndirectDirections(
                                layers: try chosen.reduce(into: [:]) { result, entry in
                                    let (layer, neurons) = entry
                                    let pass = EffectPass(vision, layers: [layer], capacity: model.batch, capturing: .mlpInput)
                                    let effects = IndirectNeuronEffects(
                                        vision, layer: layer, neurons: neurons,
                                        meanActivations: try means.layer(layer).activations, capacity: model.batch)
                                    try ImageShards.forEachBatch(0..<imageCount, of: reader, named: images.name, pass, inputs) { _ in
                                        effects.add(pass)
                                    }
                                    result[layer] = Layer(
                                        neurons: neurons.map(Int32.init),
                                        directions: try effects.principalDirections(keeping: keeping))
                                })
                        }
                    },
                    reduce: { _, shards in
                        var all = IndirectDirections(layers: [:])
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }

    private typealias Layer = IndirectDirections.Layer
}

extension IndirectDirections {
    /// Adds the neurons that follow.
    fileprivate mutating func append(_ next: IndirectDirections) {
        layers.merge(next.layers) { first, second in
            Layer(
                neurons: first.neurons + second.neurons,
                directions: PrincipalDirections(
                    directions: Tensor(
                        shape: [first.neurons.count + second.neurons.count, first.directions.directions.rowCount],
                        elements: first.directions.directions.elements + second.directions.directions.elements),
                    explainedVariance: first.directions.explainedVariance + second.directions.explainedVariance))
        }
    }
}
