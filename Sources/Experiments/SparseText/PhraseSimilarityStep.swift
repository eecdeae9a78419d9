import DenseMath
import Foundations
import Lens
import Pipeline

/// Whether the phrases that a neuron speaks for have something to do with each other: the mean similarity, less the pool's
/// mean, of any two of the longest parts of its description that have a positive sign. The paper shows lists of unlike
/// phrases and calls it polysemy.
///
/// Pursuit takes no two phrases that say the same, whatever it is given, so that random directions, described in the same
/// way, stand beside the neurons.
struct PhraseSimilarities: ColumnTable {
    struct Layer: ColumnSet, Equatable {
        /// NaN for a neuron with fewer than two such phrases. // [N]
        var neurons: [Float] = []
        /// Similarities for directions drawn from the Gaussian with the covariance of the layer's directions. // [n]
        var randomDirections: [Float] = []

        static let columns: [Column<Self>] = [
            .rows("neurons", \.neurons, of: "neurons"),
            .rows("random-directions", \.randomDirections, of: "directions"),
        ]
    }

    var layers: [Int: Layer] = [:]
    /// Similarity of two phrases of the pool drawn at random: the mean over all pairs.
    var randomPhrases = 0.0

    static let columns: [Column<Self>] = [.layers(\.layers), .shared("random-phrases", \.randomPhrases)]
}

/// Measures ``PhraseSimilarities``.
struct PhraseSimilarityStep: StepDefinition {
    /// Phrases of a neuron that are compared.
    static let phrases = 5
    /// Random directions of a layer.
    private static let randomDirections = 256

    let layers: [Int]
    let directions: StepHandle<FittedDirections>
    let pool: StepHandle<StoredTextPool>
    let texts: StepHandle<FittedSparseTexts>
    /// Index of the number of phrases that describe a neuron.
    let size: Int
    let seed: Int

    func step() throws -> Step<PhraseSimilarities> {
        Step(
            kind: "phrase-similarities", version: 2,
            parameters: [
                "layers": .integers(layers), "size": .integer(size), "phrases": .integer(Self.phrases),
                "random-directions": .integer(Self.randomDirections), "seed": .integer(seed),
            ],
            inputs: [directions.erased, pool.erased, texts.erased],
            work: try .joined(units: layers.count, unitsPerShard: 1) { inputs in
                let (directions, pool, texts) = (try inputs[directions], try inputs[pool].pool, try inputs[texts])
                let centred = pool.centred
                return { shard in
                    let layer = layers[shard.units.lowerBound]
                    let codes = try texts.layer(layer)
                    var random = SplitMix64(seed: UInt64(seed), label: "random directions", index: UInt64(layer))
                    let drawn = try GaussianVectors(like: directions.layer(layer).directions.directions)(
                        Self.randomDirections, &random
                    ).rowsNormalised()
                    let others = MatchingPursuit(dictionary: pool.dictionary)(drawn, sizes: [codes.sizes[size]])
                    return PhraseSimilarities(
                        layers: [
                            layer: .init(
                                neurons: Self.similarities(codes, size: size, pool, centred),
                                randomDirections: Self.similarities(others, size: 0, pool, centred))
                        ], randomPhrases: centred.meanSimilarityOfPairs)
                }
            })
    }

    /// - Parameter centred: the pool's phrases less their mean, unit rows.
    /// - Returns: one value a signal; NaN for fewer than two phrases. // [n]
    static func similarities(_ codes: SparseCodes, size: Int, _ pool: TextPool, _ centred: Tensor) -> [Float] {
        let m = codes.coefficients.shape[2]
        return (0..<codes.count).map { n in
            let parts = (0..<codes.sizes[size]).compactMap { position -> (atom: Int, weight: Float)? in
                let atom = Int(codes.atoms[n * m + position])
                guard atom >= 0 else { return nil }
                let length = pool.dictionary[row: atom].reduce(0) { $0 + $1 * $1 }.squareRoot()
                return (atom, codes.coefficients.elements[(size * codes.count + n) * m + position] * length)
            }
            let chosen = parts.filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }.prefix(phrases).map(\.atom)
            let pairs = chosen.indices.flatMap { i in (i + 1..<chosen.count).map { (chosen[i], chosen[$0]) } }
            guard !pairs.isEmpty else { return .nan }
            return pairs.reduce(0) { sum, pair in
                sum + zip(centred[row: pair.0], centred[row: pair.1]).reduce(0) { $0 + $1.0 * $1.1 }
            } / Float(pairs.count)
        }
    }
}

extension Tensor {
    /// The mean dot product of two different rows: of unit rows, of their cosines. NaN for fewer than two.
    fileprivate var meanSimilarityOfPairs: Double {
        let n = Double(shape[0])
        var (sums, squares) = ([Double](repeating: 0, count: rowWidth), 0.0)
        for (index, value) in elements.enumerated() {
            sums[index % rowWidth] += Double(value)
            squares += Double(value) * Double(value)
        }
        return (sums.reduce(0) { $0 + $1 * $1 } - squares) / (n * (n - 1))
    }
}
