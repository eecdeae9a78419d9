import DenseMath
import Lens
import Pipeline
import Safetensors

/// Whether a neuron's description holds on images that it was not made from: Spearman's correlation over
/// held-out images between the neuron's effect ⟨φ_n − φ̄_n, r_n⟩ and what its phrases say about the image,
/// Σ_j γ_j ⟨c·r(I), text_j⟩. The paper has no such number.
struct Faithfulness: Artefact {
    struct Layer: Sendable {
        /// By size. // [sizes, N]
        var own: Tensor
        /// With the description of another neuron of the layer, by size. // [sizes, N]
        var shuffled: Tensor
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
                shuffled: try stored.numbers("\(layer).shuffled", dimensions: 2))
        }
    }

    func stored() throws -> StoredArtefact {
        guard case .tensors(let tensors, var metadata) = try LayerTensors.write(layers, { layer in
            ["own": try layer.own.stored(), "shuffled": try layer.shuffled.stored()]
        }) else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        metadata["images"] = String(images)
        return .tensors(tensors, metadata: metadata)
    }
}

enum FaithfulnessStep {
    static func add(
        _ study: Study, effects: StepHandle<NeuronEffects>, texts: StepHandle<FittedSparseTexts>,
        pool: StepHandle<StoredTextPool>, named name: String, in graph: inout Graph
    ) throws -> StepHandle<Faithfulness> {
        let (layers, seed) = (study.layers, study.spec.seed)
        return try graph.add(
            Step(
                kind: "faithfulness", label: name, version: 1, parameters: ["layers": .integers(layers), "seed": .integer(seed)],
                inputs: [effects.erased, texts.erased, pool.erased],
                work: .map(
                    units: layers.count, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let (effects, texts, pool) = (try inputs[effects], try inputs[texts], try inputs[pool].pool)
                        return { shard in
                            let layer = layers[shard.units.lowerBound]
                            guard let values = effects.effects[layer] else {
                                throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
                            }
                            return Faithfulness(
                                images: values.shape[0],
                                layers: [
                                    layer: try score(
                                        values, effects.representations, texts.layer(layer), pool, seed: seed, layer: layer,
                                        inputs)
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
        _ effects: Tensor, _ representations: Tensor, _ codes: SparseCodes, _ pool: TextPool, seed: Int, layer: Int,
        _ inputs: Inputs
    ) throws -> Faithfulness.Layer {
        let N = effects.shape[1]
        let ranks = columns(of: effects).map(RankCorrelation.normalisedRanks)
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled descriptions", index: UInt64(layer))
        let order = random.permutation(N)
        var (own, shuffled) = ([Float](), [Float]())
        for size in codes.sizes.indices {
            try inputs.checkCancellation()
            // What the phrases say, from their embeddings as they are: the pool's standardisation is for choosing only.
            let descriptions = codes.reconstructions(size, dictionary: pool.embeddings)
            let said = columns(of: representations.times(descriptions, transposed: true)).map(RankCorrelation.normalisedRanks)
            for n in 0..<N {
                own.append(RankCorrelation.ofNormalised(ranks[n], said[n]))
                shuffled.append(RankCorrelation.ofNormalised(ranks[n], said[order[n] == n ? (n + 1) % N : order[n]]))
            }
        }
        let shape = [codes.sizes.count, N]
        return .init(own: Tensor(shape: shape, elements: own), shuffled: Tensor(shape: shape, elements: shuffled))
    }

    private static func columns(of matrix: Tensor) -> [[Float]] {
        let transposed = matrix.transposed()
        return (0..<transposed.shape[0]).map { Array(transposed[row: $0]) }
    }
}
