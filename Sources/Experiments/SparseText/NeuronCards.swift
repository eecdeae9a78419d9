import Foundation
import Pipeline

/// A card for every neuron: the images on which its effect is largest, its phrases in every pool, and how far both hold.
struct NeuronCards {
    let descriptions: NeuronDescriptions
    let pictures: CardPictures
    let settings: CardPicturesStep.Settings
    /// The fit set, whose images the pictures are.
    let fit: ImageSet
    let facts: ImageFacts

    init(
        _ descriptions: NeuronDescriptions, pictures: CardPictures, settings: CardPicturesStep.Settings, fit: ImageSet,
        facts: ImageFacts
    ) {
        (self.descriptions, self.pictures, self.settings) = (descriptions, pictures, settings)
        (self.fit, self.facts) = (fit, facts)
    }

    private var measures: SparseTextMeasures { descriptions.measures }

    var deck: CardDeck {
        let spec = measures.spec
        let m = spec.sizes[spec.description.size]
        return CardDeck(
            title: "Neurons",
            notes: [
                "Pictures: the \(settings.count) images of \(fit.name) with the largest effects, the largest first; below each how far the effect goes along the neuron's direction, so − stands below an image that the neuron speaks against.",
                "Phrases: all \(m) of the sparse text with sign and length of their part of the direction, the longest first.",
                "Along PC #1: share of the second moments of the neuron's largest effects along its direction. Phrases explain: 1 − ‖r − r̂‖². Faithfulness: rank correlation of the effect with what the phrases say, over \(measures.heldOut) held-out images; shuffled: with another neuron's phrases.",
            ],
            grouping: "layer", groups: measures.layers.map { "\($0)" }, measures: [.init("along PC #1", isShare: true)],
            pools: zip(spec.pools, measures.texts).map { pool, texts in
                .init(
                    title: pool.name, words: texts.pool.phrases,
                    measures: [
                        .init("phrases explain", isShare: true), .init("faithfulness", isShare: false),
                        .init("shuffled", isShare: false),
                    ])
            },
            cards: measures.layers.enumerated().flatMap { group, layer in cards(layer: layer, group: group) },
            pictures: pictures.images.map { .init(name: fit.imageID(Int($0)), caption: facts[Int($0)].caption) },
            sheets: pictures.sheets(of: settings))
    }

    private func cards(layer: Int, group: Int) -> [CardDeck.Card] {
        let pools = measures.spec.pools.indices.map { descriptions.neurons(of: layer, pool: $0) }
        guard let first = pools.first, let pictured = pictures.layers[layer] else { return [] }
        let C = pictured.projections.shape[1]
        return first.indices.map { n in
            let shown = (n * C..<(n + 1) * C).filter { pictured.pictures[$0] >= 0 }
            return CardDeck.Card(
                group: group, name: "\(layer).\(n)", pictures: shown.map { Int(pictured.pictures[$0]) },
                strengths: shown.map { Self.rounded(Double(pictured.projections.elements[$0])) ?? 0 },
                values: [Self.rounded(first[n].explained)],
                texts: pools.enumerated().map { pool, neurons in
                    let phrases = descriptions.phrases(layer: layer, neuron: n, pool: pool)
                    return .init(
                        words: phrases.map(\.index), weights: phrases.map { Self.rounded(Double($0.weight)) ?? 0 },
                        values: [neurons[n].textShare, neurons[n].faithfulness, neurons[n].shuffled].map(Self.rounded))
                })
        }
    }

    /// With three digits, as many as people look at: a browser reads thousands of cards.
    private static func rounded(_ value: Double) -> Double? {
        guard value.isFinite, value != 0 else { return value == 0 ? 0 : nil }
        let unit = pow(10, 2 - floor(log10(abs(value))))
        return (value * unit).rounded() / unit
    }
}
