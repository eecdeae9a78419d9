import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// What is said of the second-order and of the indirect effects of the same neurons on the same images: a seeded sample
/// of neurons of each layer, and the first images of the fit set. Only so can the two be compared, since what a direction
/// explains of the largest effects depends on how many images they are the largest of.
struct SampledEffects: Artefact {
    /// One kind of effect of a layer's neurons, in their order.
    struct Summary: Sendable, Equatable {
        /// Of the largest effects.
        var directions: PrincipalDirections
        /// Share of Σ‖φ − φ̄‖² over all images along that direction. // [n]
        var sharesOfAll: [Float] = []
        /// Share of the images that hold half and nine tenths of Σ‖φ − φ̄‖². // [n]
        var holdingHalf: [Float] = []
        var holdingNineTenths: [Float] = []
        /// The same of effects drawn from the Gaussian with the same covariance. // [n]
        var gaussianHalf: [Float] = []
        var gaussianNineTenths: [Float] = []
    }

    struct Layer: Sendable, Equatable {
        /// Which neurons were sampled, ascending. // [n]
        var neurons: [Int32]
        var indirect: Summary
        var secondOrder: Summary
    }

    var layers: [Int: Layer]

    init(layers: [Int: Layer]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                neurons: try stored.tensor("\(layer).neurons").int32s(),
                indirect: try Summary(stored, prefix: "\(layer).indirect-"),
                secondOrder: try Summary(stored, prefix: "\(layer).second-order-"))
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { layer in
            try layer.indirect.tensors(prefix: "indirect-")
                .merging(layer.secondOrder.tensors(prefix: "second-order-")) { first, _ in first }
                .merging(["neurons": try StoredTensor(layer.neurons, shape: [layer.neurons.count])]) { first, _ in first }
        }
    }
}

extension SampledEffects.Summary {
    private static let lists: [(name: String, path: WritableKeyPath<Self, [Float]> & Sendable)] = [
        ("shares-of-all", \.sharesOfAll), ("holding-half", \.holdingHalf), ("holding-nine-tenths", \.holdingNineTenths),
        ("gaussian-half", \.gaussianHalf), ("gaussian-nine-tenths", \.gaussianNineTenths),
    ]

    fileprivate init(_ stored: StoredArtefact, prefix: String) throws {
        self.init(directions: try PrincipalDirections(stored, prefix: prefix))
        for (name, path) in Self.lists {
            self[keyPath: path] = try stored.list(prefix + name)
            guard self[keyPath: path].count == directions.shares.count else {
                throw PipelineError.invalidArtefact(
                    part: prefix + name, reason: "\(self[keyPath: path].count) for \(directions.shares.count) neurons")
            }
        }
    }

    fileprivate func tensors(prefix: String) throws -> [String: StoredTensor] {
        try Self.lists.reduce(into: try directions.tensors(prefix: prefix)) { tensors, list in
            let values = self[keyPath: list.path]
            tensors[prefix + list.name] = try StoredTensor(values, shape: [values.count])
        }
    }

    /// - Parameters:
    ///   - count: images with the largest effects that each neuron keeps.
    ///   - weights: of a neuron, as `NeuronEffectTable.gaussian` takes them.
    /// - Throws: `LensError.factorisation`.
    fileprivate init(
        _ tables: [NeuronEffectTable], keeping count: Int, weights: (Int) -> Tensor, layer: Int, neurons: [Int], width: Int
    ) throws {
        self.init(
            directions: PrincipalDirections(
                try zip(tables, neurons).map { table, neuron in
                    do {
                        return try table.principalDirection(keeping: count)
                    } catch let error as FactorisationError {
                        throw LensError.factorisation(layer: layer, neuron: neuron, error)
                    }
                }, width: width))
        for (row, table) in tables.enumerated() {
            sharesOfAll.append(Float(table.share(along: Array(directions.directions[row: row]))))
            holdingHalf.append(Float(table.imagesHolding(0.5)))
            holdingNineTenths.append(Float(table.imagesHolding(0.9)))
            let gaussian = table.gaussian(weights(neurons[row]))
            gaussianHalf.append(Float(gaussian.imagesHolding(0.5)))
            gaussianNineTenths.append(Float(gaussian.imagesHolding(0.9)))
        }
    }

    /// Adds the neurons that follow.
    fileprivate mutating func append(_ next: Self) {
        directions.append(next.directions)
        for (_, path) in Self.lists { self[keyPath: path] += next[keyPath: path] }
    }
}

enum SampledEffectsStep {
    /// Neurons that share the forward passes that lead up to them.
    private static let neuronsPerShard = 16

    static func add(
        _ study: Study, means: StepHandle<FittedMeans>, sample: EffectSample, in graph: inout Graph
    ) throws -> StepHandle<SampledEffects> {
        let (model, images, layers) = (study.model, study.fit, sample.layers ?? study.layers)
        let (imageCount, keeping, seed) = (min(sample.images, images.count), study.spec.significantImages, study.spec.seed)
        let neurons = layers.flatMap { layer in
            var random = SplitMix64(seed: UInt64(seed), label: "indirect sample", index: UInt64(layer))
            return random.sample(sample.neurons, of: model.configuration.vision.mlpWidth).sorted().map { (layer, $0) }
        }
        // The same for both kinds of effects of a neuron.
        @Sendable func weights(_ layer: Int, _ neuron: Int) -> Tensor {
            var random = SplitMix64(
                seed: UInt64(seed), label: "Gaussian effects", index: UInt64(layer * model.configuration.vision.mlpWidth + neuron))
            return Tensor(shape: [imageCount, imageCount], elements: random.normals(imageCount * imageCount))
        }
        return try graph.add(
            Step(
                kind: "sampled-effects", version: 1,
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
                            return SampledEffects(
                                layers: try chosen.reduce(into: [:]) { result, entry in
                                    let (layer, neurons) = entry
                                    let pass = EffectPass(vision, layers: [layer], capacity: model.batch, capturing: .mlpInput)
                                    let indirect = IndirectNeuronEffects(
                                        vision, layer: layer, neurons: neurons,
                                        meanActivations: try means.layer(layer).activations, capacity: model.batch)
                                    let secondOrder = SecondOrderNeuronEffects(
                                        try model.lens(layer), neurons: neurons, capacity: model.batch)
                                    try ImageShards.forEachBatch(0..<imageCount, of: reader, named: images.name, pass, inputs) { _ in
                                        indirect.add(pass)
                                        secondOrder.add(pass)
                                    }
                                    func summary(_ tables: [NeuronEffectTable]) throws -> SampledEffects.Summary {
                                        try .init(
                                            tables, keeping: keeping, weights: { weights(layer, $0) }, layer: layer, neurons: neurons,
                                            width: vision.embeddingWidth)
                                    }
                                    result[layer] = .init(
                                        neurons: neurons.map(Int32.init), indirect: try summary(indirect.tables),
                                        secondOrder: try summary(secondOrder.tables))
                                })
                        }
                    },
                    reduce: { _, shards in
                        var all = SampledEffects(layers: [:])
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}

extension SampledEffects {
    /// Adds the neurons that follow.
    fileprivate mutating func append(_ next: SampledEffects) {
        layers.merge(next.layers) { first, second in
            var joined = first
            joined.neurons += second.neurons
            joined.indirect.append(second.indirect)
            joined.secondOrder.append(second.secondOrder)
            return joined
        }
    }
}
