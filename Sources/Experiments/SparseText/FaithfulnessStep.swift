import DenseMath
import Foundations
import Lens
import Pipeline

/// Whether a neuron's description holds on images that it was not made from: Spearman's correlation over
/// held-out images between the neuron's effect ⟨φ_n − φ̄_n, r_n⟩ and what the sum of its phrases says about
/// the image, ⟨c·r(I), r̂_n⟩ with r̂_n = Σ_j γ_j t_j. The paper has no such number.
///
/// What the direction itself says, ⟨c·r(I), r_n⟩, is measured likewise: an image's representation holds more
/// than one neuron's effect, so that no description can be expected to do much better.
struct Faithfulness: ColumnTable {
    struct Layer: ColumnSet {
        /// By size. // [sizes, N]
        var own = Tensor(zeros: [0, 0])
        /// With the description of another neuron of the layer, by size. // [sizes, N]
        var shuffled = Tensor(zeros: [0, 0])
        /// With the direction itself. // [N]
        var direction: [Float] = []
        /// With the direction of another neuron of the layer. // [N]
        var directionShuffled: [Float] = []

        static let columns: [Column<Self>] = [
            .rows("own", \.own, of: "sizes"), .rows("shuffled", \.shuffled, of: "sizes"),
            .rows("direction", \.direction, of: "neurons"),
            .rows("direction-shuffled", \.directionShuffled, of: "neurons"),
        ]
    }

    var images = 0
    var layers: [Int: Layer] = [:]

    static let columns: [Column<Self>] = [.shared("images", \.images), .layers(\.layers)]
}

/// Measures ``Faithfulness``.
struct FaithfulnessStep: StepDefinition {
    let layers: [Int]
    let effects: StepHandle<NeuronEffects>
    let directions: StepHandle<FittedDirections>
    let texts: StepHandle<FittedSparseTexts>
    let pool: StepHandle<StoredTextPool>
    /// Name of the pool.
    let name: String
    let seed: Int

    func step() throws -> Step<Faithfulness> {
        Step(
            kind: "faithfulness", label: name, version: 3,
            parameters: ["layers": .integers(layers), "seed": .integer(seed)],
            inputs: [effects.erased, directions.erased, texts.erased, pool.erased],
            work: try .joined(units: layers.count, unitsPerShard: 1) { inputs in
                let (effects, directions) = (try inputs[effects], try inputs[directions])
                let (texts, pool) = (try inputs[texts], try inputs[pool].pool)
                return { shard in
                    let layer = layers[shard.units.lowerBound]
                    guard let values = effects.layers[layer]?.effects else {
                        throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
                    }
                    let scores = try score(
                        values, effects.representations, directions: directions.layer(layer).directions.directions,
                        texts.layer(layer), pool, layer: layer, inputs)
                    return Faithfulness(images: values.shape[0], layers: [layer: scores])
                }
            })
    }

    private func score(
        _ effects: Tensor, _ representations: Tensor, directions: Tensor, _ codes: SparseCodes, _ pool: TextPool,
        layer: Int, _ inputs: StepInputs
    ) throws -> Faithfulness.Layer {
        let N = effects.shape[1]
        let ranks = columns(of: effects).map(RankCorrelation.normalisedRanks)
        var random = SplitMix64(seed: UInt64(seed), label: "shuffled descriptions", index: UInt64(layer))
        let order = random.permutation(N)
        /// With what each neuron's vector says of the images, and with what another neuron's says. // [N] each
        func correlations(_ vectors: Tensor) -> (own: [Float], shuffled: [Float]) {
            let said = columns(of: representations.times(vectors, transposed: true)).map(
                RankCorrelation.normalisedRanks)
            return (
                (0..<N).map { RankCorrelation.ofNormalised(ranks[$0], said[$0]) },
                (0..<N).map {
                    RankCorrelation.ofNormalised(ranks[$0], said[order[$0] == $0 ? ($0 + 1) % N : order[$0]])
                }
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

    private func columns(of matrix: Tensor) -> [[Float]] {
        let transposed = matrix.transposed()
        return (0..<transposed.shape[0]).map { Array(transposed[row: $0]) }
    }
}
