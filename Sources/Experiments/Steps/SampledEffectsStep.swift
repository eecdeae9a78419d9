import CLIPModel
import DenseMath
import Foundations
import Lens
import Pipeline

/// What is said of the second-order and of the indirect effects of the same neurons on the same images: a seeded sample
/// of neurons of each layer, and the first images of the fit set. Only so can the two be compared, since what a direction
/// explains of the largest effects depends on how many images they are the largest of.
typealias SampledEffects = ByLayer<SampledLayer>

struct SampledLayer: ColumnSet, Equatable {
    /// Which neurons were sampled, ascending. // [n]
    var neurons: [Int32] = []
    var indirect = EffectSummary()
    var secondOrder = EffectSummary()

    static let columns: [Column<Self>] = [
        .rows("neurons", \.neurons, of: "neurons"), .table("indirect-", \.indirect),
        .table("second-order-", \.secondOrder),
    ]
}

/// One kind of effect of some neurons, in their order.
struct EffectSummary: ColumnSet, Equatable {
    /// First principal directions of the largest effects.
    var directions = PrincipalDirections()
    /// Share of Σ‖φ − φ̄‖² over all images along that direction. // [n]
    var sharesOfAll: [Float] = []
    /// Share of the images that hold half and nine tenths of Σ‖φ − φ̄‖². // [n]
    var holdingHalf: [Float] = []
    var holdingNineTenths: [Float] = []
    /// Share of the images that hold half and nine tenths of effects drawn from the Gaussian with the same covariance.
    /// // [n]
    var gaussianHalf: [Float] = []
    var gaussianNineTenths: [Float] = []

    static let columns: [Column<Self>] = [
        .table("", \.directions), .rows("shares-of-all", \.sharesOfAll, of: "neurons"),
        .rows("holding-half", \.holdingHalf, of: "neurons"),
        .rows("holding-nine-tenths", \.holdingNineTenths, of: "neurons"),
        .rows("gaussian-half", \.gaussianHalf, of: "neurons"),
        .rows("gaussian-nine-tenths", \.gaussianNineTenths, of: "neurons"),
    ]
}

extension EffectSummary {
    /// - Parameters:
    ///   - count: images with the largest effects that each neuron keeps.
    ///   - weights: of a neuron, as `NeuronEffectTable.gaussian` takes them.
    /// - Throws: `LensError.factorisation`.
    fileprivate init(
        _ tables: [NeuronEffectTable], keeping count: Int, weights: (Int) -> Tensor, layer: Int, neurons: [Int],
        width: Int
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
}

/// Measures ``SampledEffects``.
struct SampledEffectsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    /// Sampled of each layer.
    let neurons: Int
    let images: ImageSource
    /// The first of the set, on which effects are measured.
    let imageCount: Int
    let means: StepHandle<FittedMeans>
    /// Images with the largest effects that each neuron keeps.
    let keeping: Int
    let seed: Int

    /// Neurons that share the forward passes that lead up to them.
    private static let neuronsPerShard = 16

    func step() throws -> Step<SampledEffects> {
        let chosen = layers.flatMap { layer in
            var random = SplitMix64(seed: UInt64(seed), label: "indirect sample", index: UInt64(layer))
            return random.sample(neurons, of: model.configuration.vision.mlpWidth).sorted().map { (layer, $0) }
        }
        return Step(
            kind: "sampled-effects", version: 2,
            parameters: [
                "layers": .integers(layers), "neurons": .integer(neurons), "images": .integer(imageCount),
                "keeping": .integer(keeping), "seed": .integer(seed),
            ],
            inputs: [images.images.erased, means.erased], digests: ["model": model.digest],
            memory: model.memory(layers: layers, .resumed),
            cost: model.imageCost(
                perUnit: Double(imageCount) / Double(max(layers.count, 1))
                    * layers.reduce(0) {
                        $0 + model.operations.indirect($1) + model.operations.forward / Double(Self.neuronsPerShard)
                    }),
            work: try .joined(units: chosen.count, unitsPerShard: Self.neuronsPerShard) { inputs in
                let (images, means) = (try ImageRuns(images, inputs), try inputs[means])
                return { shard in
                    let layers = Dictionary(grouping: chosen[shard.units]) { $0.0 }.mapValues { $0.map(\.1) }
                    return SampledEffects(
                        layers: try layers.reduce(into: [:]) {
                            $0[$1.key] = try sample($1.value, layer: $1.key, images, means.layer($1.key).means)
                        })
                }
            })
    }

    private func sample(_ neurons: [Int], layer: Int, _ images: ImageRuns, _ means: EffectMeans) throws -> SampledLayer
    {
        let vision = try model.clip.value().vision
        let workspace = EffectWorkspace(vision, layers: [layer], capacity: model.batch, capturing: [.mlpInput])
        var effects = (
            indirect: IndirectNeuronEffects(
                vision, layer: layer, neurons: neurons, meanActivations: means.activations, capacity: model.batch),
            secondOrder: SecondOrderNeuronEffects(try model.lens(layer), neurons: neurons, capacity: model.batch)
        )
        try images.batches(workspace) { effects, pass, _ in
            effects.indirect.add(pass)
            effects.secondOrder.add(pass)
        }(0..<imageCount, &effects)
        func summary(_ tables: [NeuronEffectTable]) throws -> EffectSummary {
            try EffectSummary(
                tables, keeping: keeping, weights: { gaussianWeights(layer, $0) }, layer: layer, neurons: neurons,
                width: vision.embeddingWidth)
        }
        return SampledLayer(
            neurons: neurons.map(Int32.init), indirect: try summary(effects.indirect.tables),
            secondOrder: try summary(effects.secondOrder.tables))
    }

    /// Standard normal weights that Gaussian effects of a neuron are drawn with, for both kinds of effects alike.
    /// // [images, images]
    private func gaussianWeights(_ layer: Int, _ neuron: Int) -> Tensor {
        var random = SplitMix64(
            seed: UInt64(seed), label: "Gaussian effects",
            index: UInt64(layer * model.configuration.vision.mlpWidth + neuron))
        return Tensor(shape: [imageCount, imageCount], elements: random.normals(imageCount * imageCount))
    }
}

extension SampledEffectsStep {
    init(_ study: Study, means: StepHandle<FittedMeans>, sample: EffectSample) {
        self.init(
            model: study.model, layers: sample.layers, neurons: sample.neurons, images: study.fit,
            imageCount: min(sample.images, study.fit.count), means: means, keeping: study.spec.significantImages,
            seed: study.spec.seed)
    }
}
