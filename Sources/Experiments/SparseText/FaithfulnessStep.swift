import DenseMath
import Lens
import Pipeline
import Safetensors

/// Whether a neuron's description holds on images that it was not made from: Spearman's correlation over
/// held-out images between the neuron's effect ⟨φ_n − φ̄_n, r_n⟩ and what the sum of its phrases says about
/// the image, ⟨c·r(I), r̂_n⟩ with r̂_n = Σ_j γ_j t_j. The paper has no such number.
///
/// What the direction itself says, ⟨c·r(I), r_n⟩, is measured likewise: an image's representation holds more
/// than one neuron's effect, so that no description can be expected to do much better.
struct Faithfulness: Artefact {
    struct Layer: Sendable {
        /// By size. // [sizes, N]
        var own: Tensor
        /// With the description of another neuron of the layer, by size. // [sizes, N]
        var shuffled: Tensor
        /// With the direction itself. // [N]
        var direction: [Float]
        /// With the direction of another neuron of the layer. // [N]
        var directionShuffled: [Float]
    }

    var images: Int
    var layers: [Int: Layer]

    init(images: Int, layers: [Int: Layer]) {
        self.images = images
        self.layers = layers
    }

    init(_ stored: StoredArtefact) throws {
        images = Int(stored.metadata("images") ?? "") ?? 0
        layers = try LayerTensors.read(stored) { layer in
            Layer(
                own: try stored.numbers("\(layer).own", dimensions: 2),
                shuffled: try stored.numbers("\(layer).shuffled", dimensions: 2),
                direction: try stored.list("\(layer).direction"),
                directionShuffled: try stored.list("\(layer).direction-shuffled"))
        }
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(let tensors, var metadata) = try LayerTensors.write(layers, { layer in
            [
                "own": try layer.own.stored(), "shuffled": try layer.shuffled.stored(),
                "direction": try StoredTensor(layer.direction, shape: [layer.direction.count]),
                "direction-shuffled": try StoredTensor(layer.directionShuffled, shape: [layer.directionShuffled.count]),
            ]
        }) else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        metadata["images"] = String(images)
        return .tensors(tensors, metadata: metadata)
    }
}

enum FaithfulnessStep {
    static func add(
        _ study: Study, effects: StepHandle<NeuronEffects>, directions: StepHandle<FittedDirections>,
        texts: StepHandle<FittedSparseTexts>, pool: StepHandle<StoredTextPool>, named name: String, in graph: inout Graph
    ) throws -> StepHandle<Faithfulness> {
        let (layers, seed) = (study.layers, study.spec.seed)
        return try graph.add(
            Step(
                kind: "faithfulness", label: name, version: 2, parameters: ["layers": .integers(layers), "seed": .integer(seed)],
                inputs: [effects.erased, directions.erased, texts.erased, pool.erased],
                work: .map(
                    units: layers.count, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let (effects, directions) = (try inputs[effects], try inputs[directions])
                        let (texts, pool) = (try inputs[texts], try inputs[pool].pool)
                        return { shard in
                            let layer = layers[shard.units.lowerBound]
                            guard let values = effects.effects[layer] else {
                                throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
                            }
                            return Faithfulness(
                                images: values.shape[0],
                                layers: [
                                    layer: try score(
                                        values, effects.representations,
                                        directions: directions.layer(layer).directions.directions, texts.layer(layer), pool,
                                        seed: seed, layer: layer, inputs)
                                ])
                        }
                    },
                    reduce: { _, shards in
                        var all = Faithfulness(images: 0, layers: [:])
                        try shards.forEach { _, part in
                            all.images = part.images
                            all.layers.merge(part.layers) { first, _ in first }
                        }
                        return all
                    })))
    }

    private static func score(
        _ effects: Tensor, _ representations: Tensor, directions: Tensor, _ codes: SparseCodes, _ pool: TextPool, seed: Int,
        layer: Int, _ inputs: Inputs
    ) throws -> Faithfulness.Layer {
        let N = effects.shape[1]
        let ranks = columns(of: effects).map(RankCorrelation.normalisedRanks)
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled descriptions", index: UInt64(layer))
        let order = random.permutation(N)
        /// With what each neuron's vector says of the images, and with what another neuron's says. // [N] each
        func correlations(_ vectors: Tensor) -> (own: [Float], shuffled: [Float]) {
            let said = columns(of: representations.times(vectors, transposed: true)).map(RankCorrelation.normalisedRanks)
            return (
                (0..<N).map { RankCorrelation.ofNormalised(ranks[$0], said[$0]) },
                (0..<N).map { RankCorrelation.ofNormalised(ranks[$0], said[order[$0] == $0 ? ($0 + 1) % N : order[$0]]) }
            )
        }
        var (own, shuffled) = ([Float](), [Float]())
        for size in codes.sizes.indices {
            try inputs.checkCancellation()
            let scores = correlations(codes.reconstructions(size, dictionary: pool.dictionary))
            own += scores.own
            shuffled += scores.shuffled
        }
        let (shape, direction) = ([codes.sizes.count, N], correlations(directions))
        return .init(
            own: Tensor(shape: shape, elements: own), shuffled: Tensor(shape: shape, elements: shuffled),
            direction: direction.own, directionShuffled: direction.shuffled)
    }

    private static func columns(of matrix: Tensor) -> [[Float]] {
        let transposed = matrix.transposed()
        return (0..<transposed.shape[0]).map { Array(transposed[row: $0]) }
    }
}
