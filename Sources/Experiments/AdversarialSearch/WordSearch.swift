import CLIPModel
import DenseMath
import Foundations
import Inputs
import Lens

/// Finds the phrases that push a representation from one class to another: with v = text(c₂) − text(c₁) and
/// the neurons with the largest |⟨v, r_n⟩|, phrase j scores w_j = Σ_n γ_j^n ⟨v, r_n⟩.
///
/// Source: arXiv 2406.04341, section 5.1.
struct WordSearch {
    private let spec: AdversarialSearchSpec
    private let seed: UInt64
    /// What v is made of. // [classes, d]
    private let classTexts: Tensor
    private let classNames: [String]
    private let pool: TextPool
    private let secondOrder: DescribedNeurons
    private let indirect: DescribedNeurons
    /// Nil for a generator that can draw any phrase.
    private let scenes: SceneGenerator?
    /// Similarities of all phrases with a class, by the name of the second class. // [phrases]
    private let similarities: [String: [Float]]

    /// - Parameters:
    ///   - classTexts: that v is the difference of, unit rows. // [classes, d]
    ///   - names: the bare names of the classes, as the pool's phrases are bare, unit rows. // [classes, d]
    /// - Throws: `InputError` for a file of similarities that lacks a phrase or a class.
    init(
        _ spec: AdversarialSearchSpec, seed: Int, classTexts: Tensor, names: Tensor, classNames: [String],
        pool: TextPool, secondOrder: DescribedNeurons, indirect: DescribedNeurons, scenes: SceneGenerator?
    ) throws {
        self.spec = spec
        self.seed = UInt64(seed)
        self.classTexts = classTexts
        self.classNames = classNames
        self.pool = pool
        self.secondOrder = secondOrder
        self.indirect = indirect
        self.scenes = scenes
        similarities = try Set(spec.pairs.map(\.mistakenFor)).reduce(into: [:]) { found, name in
            found[name] = try spec.synonyms.similarities(of: pool, with: name, text: Self.row(names, name, classNames))
        }
    }

    /// Neurons that no search reads.
    var withoutGap: SearchWords.WithoutGap { .init(secondOrder: secondOrder.withoutGap, indirect: indirect.withoutGap) }

    /// - Returns: also fewer phrases than were asked for, where the pool has no more.
    func callAsFunction(_ unit: SearchUnit) -> SearchWords.Search {
        let pair = spec.pairs[unit.pair]
        let v = direction(from: pair.shown, to: pair.mistakenFor)
        let chosen = chosen(unit, v)
        var found = SearchWords.Search(
            unit: unit, phrases: [], scores: [], synonyms: [], synonymSimilarities: [], neurons: [], withoutPicture: 0)
        var spoken: Set<Int> = []
        var taken = 0
        let excluded = scenes?.excluded(forbidden: pair.mistakenFor) ?? []
        let (similarities, blocked) = (
            similarities[pair.mistakenFor] ?? [], Set(spec.synonyms.blocked[pair.mistakenFor] ?? [])
        )
        var refused: Set<Int> = []
        for entry in ranked(unit, chosen, v) where taken < spec.phrases && !refused.contains(entry.phrase) {
            let (phrase, words) = (entry.phrase, pool.phrases[entry.phrase])
            // No description may name the second class.
            if similarities[phrase] > Float(spec.synonyms.threshold) || blocked.contains(words)
                || DescriptionRequest.mentions(words, pair.mistakenFor)
            {
                refused.insert(phrase)
                found.synonyms.append(words)
                found.synonymSimilarities.append(Double(similarities[phrase]))
            } else if let scenes, scenes.concepts(for: words, shown: pair.shown, excluded: excluded).isEmpty {
                refused.insert(phrase)
                found.withoutPicture += 1
            } else {
                // A phrase that stands there already takes a place and is no other phrase.
                taken += 1
                guard spoken.insert(phrase).inserted else { continue }
                found.phrases.append(words)
                found.scores.append(Double(entry.score))
            }
        }
        found.neurons = witnesses(unit, chosen, v, of: spoken)
        return found
    }

    /// The neurons that a method reads, the largest |⟨v, r_n⟩| first unless they are drawn; none for the
    /// methods without neurons.
    private func chosen(_ unit: SearchUnit, _ v: [Float]) -> [Int] {
        switch unit.method {
        case .secondOrder: return largest(secondOrder, v)
        case .indirect: return largest(indirect, v)
        case .randomNeurons:
            var random = SplitMix64(seed: seed, label: "neurons of a random search", index: UInt64(unit.repeat))
            return random.sample(spec.neurons, of: secondOrder.count)
        case .similarWords, .randomWords: return []
        }
    }

    /// Phrases of the pool, the largest score first; with ``AdversarialSearchSpec/Ranking/pairs`` of a method with neurons
    /// once for each neuron that has them.
    private func ranked(_ unit: SearchUnit, _ chosen: [Int], _ v: [Float]) -> [(phrase: Int, score: Float)] {
        let entries: [(phrase: Int, score: Float)]
        switch unit.method {
        case .secondOrder, .randomNeurons: entries = scores(of: secondOrder, chosen: chosen, v)
        case .indirect: entries = scores(of: indirect, chosen: chosen, v)
        case .similarWords:
            entries = Array(
                pool.embeddings.times(Tensor(shape: [v.count, 1], elements: v)).elements.enumerated().map { ($0, $1) })
        case .randomWords:
            var random = SplitMix64(
                seed: seed, label: "words of a random search", index: UInt64(unit.repeat * spec.pairs.count + unit.pair)
            )
            entries = pool.phrases.indices.map { ($0, Float(random.uniform())) }
        }
        return entries.enumerated().sorted {
            $0.element.score != $1.element.score ? $0.element.score > $1.element.score : $0.offset < $1.offset
        }.map(\.element)
    }

    /// Neurons that are kept for a reader, and phrases of each.
    private static let witnesses = (neurons: 3, phrases: 8)

    /// Those of the chosen neurons that brought most of the score of the phrases found, with what they say. A
    /// neuron that points away from the second class pushes towards it where it is weak, so that its phrases
    /// stand with the opposite sign.
    private func witnesses(_ unit: SearchUnit, _ chosen: [Int], _ v: [Float], of found: Set<Int>) -> [SearchWords
        .Neuron]
    {
        guard unit.method == .secondOrder || unit.method == .indirect else { return [] }
        let neurons = unit.method == .secondOrder ? secondOrder : indirect
        let alignments = alignments(neurons, v)
        var heap = BoundedHeap(capacity: Self.witnesses.neurons)
        for n in chosen {
            let positions = n * neurons.size..<(n + 1) * neurons.size
            let share = positions.reduce(Float(0)) {
                found.contains(Int(neurons.phrases[$1])) ? $0 + neurons.coefficients[$1] * alignments[n] : $0
            }
            _ = heap.insert(.init(score: share, index: Int32(n)))
        }
        return heap.sorted().map { Int($0.index) }.map { n in
            let parts = (n * neurons.size..<(n + 1) * neurons.size).filter { neurons.phrases[$0] >= 0 }
                .map { position in
                    let phrase = Int(neurons.phrases[position])
                    let length = pool.dictionary[row: phrase].reduce(0) { $0 + $1 * $1 }.squareRoot()
                    return (phrase, neurons.coefficients[position] * length * (alignments[n] < 0 ? -1 : 1))
                }.sorted { abs($0.1) > abs($1.1) }
            return SearchWords.Neuron(
                layer: neurons.places[n].layer, neuron: neurons.places[n].neuron, alignment: Double(alignments[n]),
                phrases: parts.prefix(Self.witnesses.phrases).map { ($0.1 < 0 ? "−" : "+") + pool.phrases[$0.0] })
        }
    }

    /// ⟨v, r_n⟩ of every neuron.
    private func alignments(_ neurons: DescribedNeurons, _ v: [Float]) -> [Float] {
        neurons.directions.times(Tensor(shape: [v.count, 1], elements: v)).elements
    }

    private func largest(_ neurons: DescribedNeurons, _ v: [Float]) -> [Int] {
        var heap = BoundedHeap(capacity: spec.neurons)
        for (n, value) in alignments(neurons, v).enumerated() {
            _ = heap.insert(.init(score: abs(value), index: Int32(n)))
        }
        return heap.sorted().map { Int($0.index) }
    }

    /// γ_j^n ⟨v, r_n⟩ of each chosen neuron and phrase, or their sums over neurons for every phrase of the pool.
    private func scores(of neurons: DescribedNeurons, chosen: [Int], _ v: [Float]) -> [(phrase: Int, score: Float)] {
        let alignments = alignments(neurons, v)
        let pairs = chosen.flatMap { n -> [(phrase: Int, score: Float)] in
            (n * neurons.size..<(n + 1) * neurons.size).filter { neurons.phrases[$0] >= 0 }.map { position in
                (Int(neurons.phrases[position]), neurons.coefficients[position] * alignments[n])
            }
        }
        switch spec.ranking {
        case .pairs: return pairs
        case .sums:
            var sums = [Float](repeating: 0, count: pool.phrases.count)
            for (phrase, score) in pairs { sums[phrase] += score }
            return sums.enumerated().map { ($0, $1) }
        }
    }

    private static func row(_ texts: Tensor, _ name: String, _ classNames: [String]) -> ArraySlice<Float> {
        guard let label = classNames.firstIndex(of: name) else {
            preconditionFailure("the spec's reader lets only known classes pass")
        }
        return texts[row: label]
    }

    /// v = text(c₂) − text(c₁) // [d]
    func direction(from shown: String, to other: String) -> [Float] {
        zip(Self.row(classTexts, other, classNames), Self.row(classTexts, shown, classNames)).map { $0 - $1 }
    }
}

/// How the search finds its phrases: the columns of Table 3.
enum SearchMethod: String, CaseIterable, Sendable, Codable {
    /// A control that the paper does not have: phrases drawn at random.
    case randomWords = "random-words"
    /// The descriptions of neurons drawn at random.
    case randomNeurons = "random-neurons"
    /// Neurons and descriptions by indirect effects.
    case indirect
    /// The phrases nearest to v, without any neurons.
    case similarWords = "similar-words"
    case secondOrder = "second-order"

    /// Whether neurons or words are drawn anew for each repeat.
    var isDrawn: Bool { self == .randomWords || self == .randomNeurons }

    var title: String {
        switch self {
        case .randomWords: "random words"
        case .randomNeurons: "random neurons"
        case .indirect: "indirect"
        case .similarWords: "similar words"
        case .secondOrder: "second order"
        }
    }
}

/// One search: a pair of classes, a method and the number of its repeat.
struct SearchUnit: Sendable, Hashable, Codable {
    let pair: Int
    let method: SearchMethod
    let `repeat`: Int

    /// All searches, in the order of their pictures.
    static func all(_ spec: AdversarialSearchSpec) -> [SearchUnit] {
        spec.pairs.indices.flatMap { pair in
            SearchMethod.allCases.flatMap { method in
                (0..<spec.repeats).map { SearchUnit(pair: pair, method: method, repeat: $0) }
            }
        }
    }

    /// Names a picture of the search: `dog→deer/second-order/0/17`.
    func pictureID(_ picture: Int, _ spec: AdversarialSearchSpec) -> String {
        "\(spec.pairs[pair].name)/\(method.rawValue)/\(`repeat`)/\(picture)"
    }
}
