import DenseMath
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline
import Testing

@testable import Experiments

/// Phrases of a search whose scores are known.
@Suite struct WordSearchTests {
    func unit(_ method: SearchMethod, repeat index: Int = 0, pair: Int = 0) -> SearchUnit {
        SearchUnit(pair: pair, method: method, repeat: index)
    }

    @Test func theDirectionLeadsFromTheShownClassToTheOther() throws {
        #expect(try SearchSample.search().direction(from: "cat", to: "dog") == [0, -1, 1])
    }

    /// Of the four alignments 0.5, −2, 0, 1 the largest by size are −2 and 1, so that
    /// w_5 = −0.5·−2 + 0.25·1 = 1.25, w_2 = 0.25·−2 = −0.5, w_3 = 1·1 = 1, and 0 for the others.
    @Test func phrasesScoreByTheNeuronsThatTellTheClassesApartMost() throws {
        let found = try SearchSample.search()(unit(.secondOrder))
        #expect(found.phrases == ["ship", "leash", "moon"])
        #expect(found.scores == [1.25, 1, 0])
        // Scored as well as the third phrase and dropped: the class itself, a synonym, and what names the class.
        #expect(found.synonyms == ["dog", "puppy", "hot dogs"])
        #expect(found.withoutPicture == 0)
    }

    /// A similarity of exactly the limit stays, the next larger number does not.
    @Test func synonymsAreThoseAboveTheLimit() throws {
        var spec = try SearchSample.spec()
        spec.phrases = 8
        let found = try SearchSample.search(spec)(unit(.secondOrder))
        #expect(found.phrases == ["ship", "leash", "moon", "qwertz", "bone"])
        let puppy = SearchSample.pool.centredSimilarities(with: [0, 0, 1])[1]
        #expect(found.synonymSimilarities[1] == Double(puppy) && found.synonyms[1] == "puppy")
        spec.synonyms.threshold = Double(puppy)
        #expect(try SearchSample.search(spec)(unit(.secondOrder)).phrases.contains("puppy"))
        spec.synonyms.threshold = Double(puppy.nextDown)
        #expect(try SearchSample.search(spec)(unit(.secondOrder)).synonyms.contains("puppy"))
        spec.synonyms.threshold = 0.9
        #expect(try !SearchSample.search(spec)(unit(.secondOrder)).phrases.contains("bone"))
        // Whatever the limit, no description may name the class.
        spec.synonyms.threshold = 1
        #expect(try SearchSample.search(spec)(unit(.secondOrder)).synonyms == ["dog", "hot dogs"])
    }

    /// Those of the second class only, at whatever similarity.
    @Test func blockedPhrasesAreSynonyms() throws {
        var spec = try SearchSample.spec()
        spec.synonyms.blocked = ["dog": ["ship"], "cat": ["leash"]]
        let found = try SearchSample.search(spec)(unit(.secondOrder))
        #expect(found.phrases == ["leash", "moon", "qwertz"] && found.synonyms.first == "ship")
        #expect(try SearchSample.search(spec)(unit(.secondOrder, pair: 1)).synonyms.contains("leash"))
    }

    @Test func similaritiesOfAFileStandForTheModels() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString).tsv")
        defer { try? FileManager.default.removeItem(at: file) }
        let similarities: [(String, Double)] = SearchSample.pool.phrases.map { ($0, $0 == "leash" ? 0.7 : 0.6) }
        try ("phrase\tcat\tdog\n" + similarities.map { "\($0)\t0\t\($1)\n" }.joined()).write(
            to: file, atomically: true, encoding: .utf8)
        let text = SearchSample.specText.replacing(
            "synonyms: {above: 0.92}", with: "synonyms: {similarities: \(file.path)}")
        let found = try SearchSample.search(SearchSample.spec(text))(unit(.secondOrder))
        #expect(found.phrases == ["ship", "puppy", "moon"] && found.synonyms == ["leash", "dog", "hot dogs"])
        #expect(found.synonymSimilarities == [Double(Float(0.7)), Double(Float(0.6)), Double(Float(0.6))])
        // A phrase of the pool that the file lacks.
        try "phrase\tcat\tdog\nleash\t0\t0\n".write(to: file, atomically: true, encoding: .utf8)
        #expect(throws: InputError.self) { try SearchSample.search(SearchSample.spec(text)) }
        try FileManager.default.removeItem(at: file)
        // Reading the spec opens nothing.
        let spec = try SearchSample.spec(text)
        #expect(throws: InputError.self) { try spec.synonyms.parameters() }
    }

    /// γ_j^n ⟨v, r_n⟩ of neuron and phrase by itself: ship twice, 1 of neuron 0.1 and 0.25 of 2.1, which take two of four places.
    @Test func pairsOfNeuronAndPhraseAreRankedWhereAsked() throws {
        let text = SearchSample.specText.replacing("phrases: 3", with: "phrases: 4\nranking: pairs")
        let found = try SearchSample.search(SearchSample.spec(text))(unit(.secondOrder))
        #expect(found.phrases == ["ship", "leash", "bone"])
        #expect(found.scores == [1, 1, -0.5])
    }

    @Test func witnessesSpeakTowardsTheSecondClass() throws {
        let found = try SearchSample.search()(unit(.secondOrder)).neurons
        // What they bring to ship, leash and moon: (0.25 + 1) · 1, and −0.5 · −2.
        #expect(found.map { [$0.layer, $0.neuron] } == [[2, 1], [0, 1]])
        #expect(found.map(\.alignment) == [1, -2])
        // By the length of its part: coefficient times the length of the phrase's row in the dictionary.
        let length = SearchSample.pool.phrases.indices.map { phrase in
            SearchSample.pool.dictionary[row: phrase].reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let first = 0.5 * length[5] > 0.25 * length[2] ? ["+ship", "−bone"] : ["−bone", "+ship"]
        let second = length[3] > 0.25 * length[5] ? ["+leash", "+ship"] : ["+ship", "+leash"]
        // The neuron that points away from the second class: ship, with −0.5, pushes towards it.
        #expect(found[1].phrases == [first[0], first[1]])
        #expect(found[0].phrases == second)
        for method in [SearchMethod.randomNeurons, .randomWords, .similarWords] {
            #expect(try SearchSample.search()(unit(method)).neurons.isEmpty)
        }
    }

    @Test func similarWordsNeedNoNeurons() throws {
        // ⟨embedding, v⟩: bone 0.375, leash 0.25, ship 0.5, moon −0.5, qwertz −1.
        let found = try SearchSample.search()(unit(.similarWords))
        #expect(found.phrases == ["ship", "bone", "leash"])
        #expect(found.scores == [0.5, 0.375, 0.25])
    }

    @Test func indirectReadsItsOwnNeurons() throws {
        let indirect = DescribedNeurons(
            directions: Tensor(shape: [1, 3], elements: [0, 0, 4]), phrases: [7, -1], coefficients: [0.5, 0], size: 2,
            places: [(layer: 1, neuron: 5)])
        var spec = try SearchSample.spec()
        spec.phrases = 1
        let found = try SearchSample.search(spec, indirect: indirect)(unit(.indirect))
        #expect(found.phrases == ["qwertz"] && found.scores == [2])
        #expect(
            found.neurons.map { [$0.layer, $0.neuron] } == [[1, 5]] && found.neurons.map(\.phrases) == [["+qwertz"]])
    }

    // MARK: Chance

    /// Many neurons that each speak of one phrase of their own.
    func randomSearch(seed: Int = 7) throws -> WordSearch {
        var random = SplitMix64(seed: 3)
        let count = 200
        let pool = TextPool(
            phrases: (0..<count).map { "phrase \($0)" },
            embeddings: Tensor(
                shape: [count, 3], elements: (0..<count * 3).map { _ in Float(random.uniform(-0.5...0.5)) }
            )
            .rowsNormalised())
        let neurons = DescribedNeurons(
            directions: pool.embeddings, phrases: (0..<Int32(count)).map { $0 },
            coefficients: [Float](repeating: 1, count: count),
            size: 1, places: (0..<count).map { (layer: 0, neuron: $0) })
        var spec = try SearchSample.spec()
        (spec.neurons, spec.phrases, spec.synonyms.threshold) = (60, 10, 1)
        return try SearchSample.search(spec, seed: seed, secondOrder: neurons, indirect: neurons, pool: pool)
    }

    @Test(arguments: [SearchMethod.randomNeurons, .randomWords])
    func randomMethodsDifferBetweenRepeatsAndComeBackWithTheSeed(method: SearchMethod) throws {
        let (search, again, other) = (try randomSearch(), try randomSearch(), try randomSearch(seed: 8))
        let found = (0..<3).map { search(unit(method, repeat: $0)).phrases }
        #expect(Set(found).count == 3)
        #expect((0..<3).map { again(unit(method, repeat: $0)).phrases } == found)
        #expect(other(unit(method)).phrases != found[0])
    }

    /// Here each neuron says one phrase, whose embedding is its direction: w_j = ⟨v, r_j⟩ if j was drawn, else 0.
    @Test func onlyTheNeuronsThatWereDrawnCount() throws {
        let search = try randomSearch()
        let found = search(unit(.randomNeurons))
        let expected = Dictionary(
            uniqueKeysWithValues: zip(search(unit(.similarWords)).phrases, search(unit(.similarWords)).scores))
        let drawn = found.phrases.filter { expected[$0] != nil }
        // 60 of 200 neurons: of the ten best, some were drawn and some were not.
        #expect((1..<10).contains(drawn.count))
        for (phrase, score) in zip(found.phrases, found.scores) {
            #expect(score > 0)
            if let alignment = expected[phrase] {
                #expect(abs(score - alignment) < 1e-6, "\(phrase): \(score), \(alignment)")
            }
        }
    }

    @Test(arguments: [SearchMethod.secondOrder, .indirect, .similarWords])
    func otherMethodsAreTheSameInEveryRepeat(method: SearchMethod) throws {
        let search = try randomSearch()
        #expect(search(unit(method, repeat: 0)).phrases == search(unit(method, repeat: 1)).phrases)
        #expect(search(unit(method, pair: 0)).phrases != search(unit(method, pair: 1)).phrases)
    }

    // MARK: Pictures

    /// Where pictures are made of sprites, a phrase has to have one that may stand there.
    @Test func phrasesWithoutASpriteAreDropped() throws {
        var spec = try SearchSample.spec()
        spec.phrases = 8
        let scenes = try SceneGenerator(compositor: SceneCompositor(sources: EmojiSources()))
        let found = try SearchSample.search(spec, scenes: scenes)(unit(.secondOrder))
        #expect(found.phrases.first == "ship" && !found.phrases.contains("qwertz"))
        #expect(found.withoutPicture >= 1 && found.phrases.count + found.withoutPicture == 5)
    }

    @Test func aPoolThatIsTooSmallGivesWhatItHas() throws {
        var spec = try SearchSample.spec()
        spec.phrases = 100
        #expect(try SearchSample.search(spec)(unit(.similarWords)).phrases.count == 5)
    }
}

/// Directions and descriptions of neurons from what the steps store.
@Suite struct DescribedNeuronsTests {
    @Test func secondOrderNeuronsAreThoseOfTheLayersInTheirOrder() throws {
        let neurons = try SearchSample.described()
        #expect(
            neurons.directions.shape == [4, 3]
                && neurons.directions.elements == [0, 0, 0.5, 0, 1, -1, 3, 0, 0, 0, -1, 0])
        #expect(neurons.size == 2 && neurons.phrases == [6, 7, 5, 2, 2, -1, 3, 5])
        #expect(neurons.coefficients == [1, 1, -0.5, 0.25, 8, 0, 1, 0.25])
        #expect(neurons.places.map { [$0.layer, $0.neuron] } == [[0, 0], [0, 1], [2, 0], [2, 1]])
    }

    @Test func indirectNeuronsAreThoseOfTheSample() throws {
        let fitted = Self.sampled(
            [2, 5], Tensor(shape: [2, 3], elements: [0.5, 0.25, 1, -1, 0, 0.5]), ratios: [0.25, 0.5])
        let neurons = try DescribedNeurons(fitted, pool: SearchSample.pool, size: 2, layers: [1], gap: 0.95)
        #expect(neurons.places.map { [$0.layer, $0.neuron] } == [[1, 2], [1, 5]])
        let codes = MatchingPursuit(dictionary: SearchSample.pool.dictionary)(neurons.directions, sizes: [2])
        #expect(neurons.phrases == codes.atoms && neurons.coefficients == codes.coefficients.elements)
        #expect(neurons.phrases.count == 4 && neurons.size == 2)
    }

    static func sampled(_ neurons: [Int32], _ rows: Tensor, ratios: [Float]) -> SampledEffects {
        let shares = [Float](repeating: 1, count: neurons.count)
        func summary(_ directions: PrincipalDirections) -> EffectSummary {
            EffectSummary(
                directions: directions, sharesOfAll: shares, holdingHalf: shares, holdingNineTenths: shares,
                gaussianHalf: shares,
                gaussianNineTenths: shares)
        }
        return SampledEffects(layers: [
            1: .init(
                neurons: neurons, indirect: summary(HandMade.directions(rows, shares: shares, ratios: ratios)),
                secondOrder: summary(HandMade.directions(Tensor(zeros: rows.shape), shares: shares)))
        ])
    }

    /// Rounding decides which direction is theirs: they are left out, whatever effects they are of, and counted.
    @Test func neuronsWithoutAGapAreLeftOut() throws {
        let rows = Tensor(shape: [3, 3], elements: [0.5, 0.25, 1, 0, 1, 0, -1, 0, 0.5])
        let fitted = Self.sampled([2, 4, 5], rows, ratios: [0.9, 0.96, 0.95])
        let neurons = try DescribedNeurons(fitted, pool: SearchSample.pool, size: 2, layers: [1], gap: 0.95)
        #expect(neurons.places.map(\.neuron) == [2, 5] && neurons.withoutGap == 1)
        #expect(
            neurons.directions.elements == [0.5, 0.25, 1, -1, 0, 0.5] && neurons.phrases.count == 4
                && neurons.coefficients.count == 4)
        #expect(
            try DescribedNeurons(fitted, pool: SearchSample.pool, size: 2, layers: [1], gap: 0.94).places.map(\.neuron)
                == [2])
        #expect(try DescribedNeurons(fitted, pool: SearchSample.pool, size: 2, layers: [1], gap: 0).count == 0)
    }

    /// Of the words of a search those that another search of the same pair has.
    @Test func wordsThatAreFoundAgainAreCounted() throws {
        let search = try SearchSample.search()
        let searches = try SearchUnit.all(SearchSample.spec()).map { search($0) }
        #expect(search.foundAgain(searches) == [1, 1])
        let other = DescribedNeurons(
            directions: Tensor(shape: [1, 3], elements: [0, 0, 4]), phrases: [7, 6], coefficients: [0.5, 0.25], size: 2,
            places: [(layer: 1, neuron: 5)])
        let found = searches.filter { $0.unit.method == .indirect && $0.unit.repeat == 0 }.map(\.phrases)
        let again = try SearchSample.search(indirect: other)
        let expected = [0, 1].map { pair in
            let own = again(SearchUnit(pair: pair, method: .indirect, repeat: 0)).phrases
            return Double(found[pair].filter(own.contains).count) / Double(found[pair].count)
        }
        #expect(again.foundAgain(searches) == expected && expected.contains { $0 < 1 })
    }

    @Test func missingLayersAreRefused() throws {
        #expect(throws: PipelineError.self) {
            try DescribedNeurons(SearchSample.directions, texts: SearchSample.texts, size: 0, layers: [0, 3], gap: 1)
        }
        #expect(throws: PipelineError.self) {
            try DescribedNeurons(SampledEffects(layers: [:]), pool: SearchSample.pool, size: 2, layers: [0], gap: 1)
        }
    }
}
