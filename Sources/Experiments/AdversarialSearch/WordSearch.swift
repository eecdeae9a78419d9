import CLIPModel
import DenseMath
import Inputs
import Lens

/// Finds the phrases that push a representation from one class to another: with v = text(c₂) − text(c₁) and
/// the neurons with the largest |⟨v, r_n⟩|, phrase j scores w_j = Σ_n γ_j^n ⟨v, r_n⟩.
///
/// Source: arXiv 2406.04341, section 5.1.
struct WordSearch {
    private let spec: AdversarialSearchSpec
    private let seed: UInt64
    private let classifier: ZeroShotClassifier
    private let classNames: [String]
    private let pool: TextPool
    private let secondOrder: DescribedNeurons
    private let indirect: DescribedNeurons
    /// Nil for a generator that can draw any phrase.
    private let scenes: SceneGenerator?

    init(
        _ spec: AdversarialSearchSpec, seed: Int, classifier: ZeroShotClassifier, classNames: [String],
        pool: TextPool, secondOrder: DescribedNeurons, indirect: DescribedNeurons, scenes: SceneGenerator?
    ) {
        self.spec = spec
        self.seed = UInt64(seed)
        self.classifier = classifier
        self.classNames = classNames
        self.pool = pool
        self.secondOrder = secondOrder
        self.indirect = indirect
        self.scenes = scenes
    }

    /// - Returns: also fewer phrases than were asked for, where the pool has no more.
    func callAsFunction(_ unit: SearchUnit) -> SearchWords.Search {
        let pair = spec.pairs[unit.pair]
        let v = direction(from: pair.shown, to: pair.mistakenFor)
        let chosen = chosen(unit, v)
        let scores = scores(unit, chosen, v)
        let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
        var found = SearchWords.Search(unit: unit, phrases: [], scores: [], synonyms: [], neurons: [], withoutPicture: 0)
        var spoken: Set<Int> = []
        let target = text(of: pair.mistakenFor)
        let excluded = scenes?.excluded(forbidden: pair.mistakenFor) ?? []
        for phrase in order where found.phrases.count < spec.phrases {
            let similarity = zip(pool.embeddings[row: phrase], target).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let words = pool.phrases[phrase]
            // No description may name the second class.
            if similarity > spec.synonymSimilarity || DescriptionRequest.mentions(words, pair.mistakenFor) {
                found.synonyms.append(words)
            } else if let scenes, scenes.concepts(for: words, shown: pair.shown, excluded: excluded).isEmpty {
                found.withoutPicture += 1
            } else {
                found.phrases.append(words)
                spoken.insert(phrase)
                found.scores.append(Double(scores[phrase]))
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

    /// Of every phrase of the pool.
    private func scores(_ unit: SearchUnit, _ chosen: [Int], _ v: [Float]) -> [Float] {
        switch unit.method {
        case .secondOrder, .randomNeurons: return scores(of: secondOrder, chosen: chosen, v)
        case .indirect: return scores(of: indirect, chosen: chosen, v)
        case .similarWords: return pool.embeddings.times(Tensor(shape: [v.count, 1], elements: v)).elements
        case .randomWords:
            var random = SplitMix64(seed: seed, label: "words of a random search", index: UInt64(unit.repeat * spec.pairs.count + unit.pair))
            return pool.phrases.indices.map { _ in Float(random.uniform()) }
        }
    }

    /// Neurons that are kept for a reader, and phrases of each.
    private static let witnesses = (neurons: 3, phrases: 8)

    /// Those of the chosen neurons that brought most of the score of the phrases found, with what they say. A
    /// neuron that points away from the second class pushes towards it where it is weak, so that its phrases
    /// stand with the opposite sign.
    private func witnesses(_ unit: SearchUnit, _ chosen: [Int], _ v: [Float], of found: Set<Int>) -> [SearchWords.Neuron] {
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
        for (n, value) in alignments(neurons, v).enumerated() { _ = heap.insert(.init(score: abs(value), index: Int32(n))) }
        return heap.sorted().map { Int($0.index) }
    }

    private func scores(of neurons: DescribedNeurons, chosen: [Int], _ v: [Float]) -> [Float] {
        let alignments = alignments(neurons, v)
        var scores = [Float](repeating: 0, count: pool.phrases.count)
        for n in chosen {
            for position in n * neurons.size..<(n + 1) * neurons.size where neurons.phrases[position] >= 0 {
                scores[Int(neurons.phrases[position])] += neurons.coefficients[position] * alignments[n]
            }
        }
        return scores
    }

    private func text(of name: String) -> ArraySlice<Float> {
        guard let label = classNames.firstIndex(of: name) else { preconditionFailure("the spec's reader lets only known classes pass") }
        return classifier.weights[row: label]
    }

    /// v = text(c₂) − text(c₁) // [d]
    func direction(from shown: String, to other: String) -> [Float] {
        zip(text(of: other), text(of: shown)).map { $0 - $1 }
    }
}
