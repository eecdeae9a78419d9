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
        _ spec: AdversarialSearchSpec, layers: [Int], seed: Int, classifier: ZeroShotClassifier, classNames: [String],
        pool: TextPool, secondOrder: DescribedNeurons, indirect: DescribedNeurons, scenes: SceneGenerator?
    ) throws {
        self.spec = spec
        self.seed = UInt64(seed)
        self.classifier = classifier
        self.classNames = classNames
        self.pool = pool
        self.secondOrder = secondOrder
        self.indirect = indirect
        self.scenes = scenes
    }

    /// - Throws: ``ExperimentError/tooFewPhrases(pair:method:found:needed:)``.
    func callAsFunction(_ unit: SearchUnit) throws -> SearchWords.Search {
        let pair = spec.pairs[unit.pair]
        let scores = scores(unit, direction: direction(from: pair.shown, to: pair.mistakenFor))
        let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
        var found = SearchWords.Search(unit: unit, phrases: [], scores: [], synonyms: [], withoutPicture: 0)
        let target = text(of: pair.mistakenFor)
        for phrase in order where found.phrases.count < spec.phrases {
            let similarity = zip(pool.embeddings[row: phrase], target).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let words = pool.phrases[phrase]
            if similarity > spec.synonymSimilarity || words == pair.mistakenFor {
                found.synonyms.append(words)
            } else if let scenes, scenes.concepts(for: words, shown: pair.shown, forbidden: pair.mistakenFor).isEmpty {
                found.withoutPicture += 1
            } else {
                found.phrases.append(words)
                found.scores.append(Double(scores[phrase]))
            }
        }
        guard found.phrases.count >= spec.phrasesEach else {
            throw ExperimentError.tooFewPhrases(
                pair: pair.name, method: unit.method.rawValue, found: found.phrases.count, needed: spec.phrasesEach)
        }
        return found
    }

    /// Of every phrase of the pool.
    private func scores(_ unit: SearchUnit, direction v: [Float]) -> [Float] {
        switch unit.method {
        case .secondOrder: return scores(of: secondOrder, chosen: largest(secondOrder, v), v)
        case .indirect: return scores(of: indirect, chosen: largest(indirect, v), v)
        case .randomNeurons:
            var random = SplitMix64(seed: seed, label: "neurons of a random search", index: UInt64(unit.repeat))
            return scores(of: secondOrder, chosen: random.sample(spec.neurons, of: secondOrder.count), v)
        case .similarWords: return pool.embeddings.times(Tensor(shape: [v.count, 1], elements: v)).elements
        case .randomWords:
            var random = SplitMix64(seed: seed, label: "words of a random search", index: UInt64(unit.repeat * spec.pairs.count + unit.pair))
            return pool.phrases.indices.map { _ in Float(random.uniform()) }
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
