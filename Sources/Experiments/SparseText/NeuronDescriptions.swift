import DenseMath
import Foundations
import Pipeline

/// The text tables (2 and 5 of the paper): neurons with their signed phrases.
struct NeuronDescriptions {
    let measures: SparseTextMeasures
    private let pool: Int
    private let size: Int

    /// Phrases of a neuron that the printed table has room for.
    private static let phrasesShown = 5

    init(_ measures: SparseTextMeasures) {
        self.measures = measures
        (pool, size) = (measures.spec.description.pool, measures.spec.description.size)
    }

    struct Phrase {
        /// Its place in the pool.
        let index: Int
        let text: String
        /// |γ| ‖t‖ with its sign: the length of the phrase's part of the unit direction.
        let weight: Float
    }

    /// The phrases of a neuron, the longest part first.
    func phrases(layer: Int, neuron: Int, pool: Int) -> [Phrase] {
        guard let codes = measures.texts[pool].codes.layers[layer] else { return [] }
        let (source, m) = (measures.texts[pool].pool, codes.coefficients.shape[2])
        return (0..<codes.sizes[size]).compactMap { position in
            let atom = Int(codes.atoms[neuron * m + position])
            guard atom >= 0 else { return nil }
            let coefficient = codes.coefficients.elements[(size * codes.count + neuron) * m + position]
            let length = source.dictionary[row: atom].reduce(0) { $0 + $1 * $1 }.squareRoot()
            return Phrase(index: atom, text: source.phrases[atom], weight: coefficient * length)
        }.sorted { abs($0.weight) > abs($1.weight) }
    }

    struct Neuron {
        let layer: Int
        let neuron: Int
        let explained: Double
        let textShare: Double
        let faithfulness: Double
        let shuffled: Double
    }

    func neurons(of layer: Int, pool: Int) -> [Neuron] {
        guard let fitted = measures.directions.layers[layer],
            let scores = measures.texts[pool].faithfulness.layers[layer]
        else { return [] }
        let shares = measures.textShares(layer: layer, pool: pool, size: size)
        let N = shares.count
        return (0..<N).map { n in
            Neuron(
                layer: layer, neuron: n, explained: Double(fitted.directions.shares[n]), textShare: shares[n],
                faithfulness: Double(scores.own.elements[size * N + n]),
                shuffled: Double(scores.shuffled.elements[size * N + n]))
        }
    }

    /// Neurons drawn by the seed: not the ones that read best.
    var table: TableLayout {
        let layers = measures.layers
        var random = SplitMix64(seed: UInt64(measures.spec.study.seed), label: "neurons of the text table", index: 0)
        let rows = (0..<measures.spec.description.neurons).compactMap { position -> TableLayout.Row? in
            let candidates = neurons(
                of: layers[position * layers.count / measures.spec.description.neurons], pool: pool)
            guard !candidates.isEmpty else { return nil }
            let neuron = candidates[random.below(candidates.count)]
            let words = phrases(layer: neuron.layer, neuron: neuron.neuron, pool: pool).prefix(Self.phrasesShown).map(
                Self.signed)
            return .init(
                "\(neuron.layer).\(neuron.neuron)",
                [
                    .text(Self.percent(neuron.explained)), .text(Self.percent(neuron.textShare)),
                    .text(Self.decimals(neuron.faithfulness)), .text(words.joined(separator: ", ")),
                ])
        }
        let spec = measures.spec
        return TableLayout(
            title:
                "Tables 2 and 5: neurons drawn at random and their phrases (pool \(spec.pools[pool].name), m = \(spec.sizes[size]))",
            rowHeader: "neuron",
            columns: [
                .init("along PC #1 (%)"), .init("phrases explain (%)"), .init("faithfulness"),
                .init(
                    "the \(Self.phrasesShown) largest, with sign and length of their part of the direction",
                    isText: true),
            ],
            rows: rows,
            footnotes: [
                "neuron: layer.index. along PC #1: share of the second moments of the neuron's largest effects along its direction.",
                "phrases explain: 1 − ‖r − r̂‖² for all \(spec.sizes[size]) phrases. All neurons, with every pool, are in the list of neurons (CSV); these are single neurons, without intervals.",
            ])
    }

    private static func signed(_ phrase: Phrase) -> String {
        "\(phrase.weight < 0 ? "−" : "+")\(phrase.text) (\(decimals(Double(abs(phrase.weight)))))"
    }

    private static func percent(_ value: Double) -> String { String((value * 1000).rounded() / 10) }
    private static func decimals(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let digits = "\(abs(hundredths) % 100)"
        return "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100).\(digits.count < 2 ? "0" + digits : digits)"
    }

    /// Every neuron with all its phrases, of every pool. A phrase's sign is that of its weight; weights are a list
    /// in JSON.
    var list: Attachment {
        let rows = measures.spec.pools.indices.flatMap { pool in
            measures.layers.flatMap { layer in
                neurons(of: layer, pool: pool).map { neuron -> [Attachment.Field] in
                    let phrases = phrases(layer: layer, neuron: neuron.neuron, pool: pool)
                    return [
                        .text(measures.spec.pools[pool].name), .integer(layer), .integer(neuron.neuron),
                        .number(neuron.explained), .number(neuron.textShare), .number(neuron.faithfulness),
                        .number(neuron.shuffled),
                        .text(phrases.map(\.text).joined(separator: "; ")),
                        .text("[\(phrases.map { "\($0.weight)" }.joined(separator: ", "))]"),
                    ]
                }
            }
        }
        return Attachment(
            "neurons.csv",
            .list(
                header: [
                    "pool", "layer", "neuron", "second_moments_along_pc1", "direction_explained_by_phrases",
                    "faithfulness",
                    "faithfulness_shuffled", "phrases", "weights",
                ], rows: rows))
    }
}
