import CLIPModel
import DenseMath
import Foundations
import Lens
import Pipeline
import TestSupport
import Testing

@testable import Experiments

/// The steps on texts and what neurons' directions have to do with them, each by itself.
@Suite struct TextStepTests {
    let sample: StepSample
    let phrases = (0..<1030).map { "w\($0)" }

    init() throws { sample = try StepSample() }

    func pool() throws -> (StepHandle<StoredTextPool>, StoredTextPool) {
        try sample.compute(
            TextPoolStep(model: sample.model, name: "words", source: .phrases(Array(phrases.prefix(20))), needed: 4))
    }

    /// 25 classes are embedded in two shards.
    @Test func zeroShotClassifier() throws {
        let (clip, names) = (try sample.model.clip.value(), (0..<25).map { "t\($0)" })
        let found = try ClassifierStep(model: sample.model, names: names, templates: ["a {}", "{}!"]).result(
            of: sample.given)
        #expect(found.weights.shape == [25, sample.width])
        for (index, name) in names.enumerated() {
            let texts = clip.embed(texts: ["a \(name)", "\(name)!"])
            let mean = (0..<sample.width).map { Double(texts[row: 0][$0] + texts[row: 1][sample.width + $0]) / 2 }
            #expect(relativeError(found.weights[row: index], mean.map { $0 / mean.length }) < 1e-5)
        }
    }

    /// 1030 phrases are embedded in two shards.
    @Test func textPool() throws {
        let found = try TextPoolStep(model: sample.model, name: "words", source: .phrases(phrases), needed: 4).result(
            of: sample.given)
        let clip = try sample.model.clip.value()
        #expect(found.pool.phrases == phrases && found.pool.embeddings.shape == [1030, sample.width])
        for index in [0, 1023, 1024, 1029] {
            let own = clip.embed(texts: [phrases[index]])
            #expect(relativeError(found.pool.embeddings[row: index], own.elements.map(Double.init)) < 1e-5)
        }
        let captions = try TextPoolStep(
            model: sample.model, name: "captions", source: .captions(sample.fit.facts, images: 14), needed: 4
        ).result(of: sample.given)
        #expect(captions.pool.phrases == (0..<6).map { "p\($0)" })
        #expect(throws: ExperimentError.poolTooSmall(name: "captions", found: 6, needed: 7)) {
            try TextPoolStep(
                model: sample.model, name: "captions", source: .captions(sample.fit.facts, images: 14), needed: 7
            ).result(of: sample.given)
        }
    }

    @Test func randomDictionary() throws {
        let (handle, stored) = try pool()
        let found = try RandomPoolStep(pool: handle, name: "words-random", seed: 4).result(of: sample.given)
        var random = SplitMix64(seed: 4, label: "random dictionary", index: 0)
        #expect(found.pool.embeddings == (try GaussianVectors(like: stored.pool.embeddings)(20, &random)))
        #expect(found.pool.phrases.first == "random 1" && found.pool.phrases.last == "random 20")
    }

    /// Each neuron's phrases are those that matching pursuit finds for its direction alone.
    @Test func sparseTexts() throws {
        let fitted = try sample.fitted()
        let directions = try sample.directions(fitted)
        let (handle, stored) = try pool()
        let found = try SparseTextsStep(
            model: sample.model, layers: sample.layers, pool: handle, name: "words", phrases: 20,
            directions: fitted.directions,
            sizes: [1, 3]
        ).result(of: sample.given)
        let pursuit = MatchingPursuit(dictionary: stored.pool.dictionary)
        for layer in sample.layers {
            let (codes, rows) = (try found.layer(layer), try directions.layer(layer).directions.directions)
            #expect(codes.count == sample.neurons && codes.sizes == [1, 3])
            for n in 0..<sample.neurons {
                let own = pursuit(Tensor(shape: [1, sample.width], elements: Array(rows[row: n])), sizes: [1, 3])
                #expect(Array(codes.atoms[n * 3..<(n + 1) * 3]) == own.atoms, "layer \(layer), neuron \(n)")
                for size in 0..<2 {
                    let start = (size * sample.neurons + n) * 3
                    let coefficients = codes.coefficients.elements[start..<start + 3]
                    #expect(
                        relativeError(
                            coefficients, own.coefficients.elements[size * 3..<(size + 1) * 3].map(Double.init)) < 1e-4)
                }
            }
        }
    }

    /// Spearman's correlation of what a neuron does and what its phrases say, by ranks counted one by one.
    @Test func faithfulness() throws {
        let fitted = try sample.fitted()
        let directions = try sample.directions(fitted)
        let (pool, stored) = try pool()
        let (texts, codes) = try sample.compute(
            SparseTextsStep(
                model: sample.model, layers: sample.layers, pool: pool, name: "words", phrases: 20,
                directions: fitted.directions,
                sizes: [1, 3]))
        let (effects, measured) = try sample.compute(
            NeuronEffectsStep(sample.model, layers: sample.layers, images: sample.evaluation, fitted: fitted))
        let found = try FaithfulnessStep(
            layers: sample.layers, effects: effects, directions: fitted.directions, texts: texts, pool: pool,
            name: "words", seed: 6
        ).result(of: sample.given)
        #expect(found.images == 7)
        for layer in sample.layers {
            let (table, scores) = (try #require(measured.layers[layer]).effects, try #require(found.layers[layer]))
            func correlation(_ n: Int, with vector: ArraySlice<Float>) -> Double {
                let own = (0..<7).map { Double(table[row: $0][$0 * sample.neurons + n]) }
                let said = (0..<7).map {
                    measured.representations[row: $0].map(Double.init).dot(vector.map(Double.init))
                }
                return Self.spearman(own, said)
            }
            var random = SplitMix64(seed: 6, label: "shuffled descriptions", index: UInt64(layer))
            let order = random.permutation(sample.neurons)
            let r = try directions.layer(layer).directions.directions
            for n in 0..<sample.neurons {
                let other = order[n] == n ? (n + 1) % sample.neurons : order[n]
                #expect(abs(Double(scores.direction[n]) - correlation(n, with: r[row: n])) < 1e-5)
                #expect(abs(Double(scores.directionShuffled[n]) - correlation(n, with: r[row: other])) < 1e-5)
                for size in 0..<2 {
                    let sums = try codes.layer(layer).reconstructions(size, dictionary: stored.pool.dictionary)
                    let place = size * sample.neurons + n
                    #expect(abs(Double(scores.own.elements[place]) - correlation(n, with: sums[row: n])) < 1e-5)
                    #expect(
                        abs(Double(scores.shuffled.elements[place]) - correlation(n, with: sums[row: other])) < 1e-5)
                }
            }
        }
    }

    /// Pearson's correlation of ranks; equal numbers share the mean of their ranks.
    static func spearman(_ a: [Double], _ b: [Double]) -> Double {
        func ranks(_ values: [Double]) -> [Double] {
            values.map { value in Double(values.count { $0 < value }) + Double(values.count { $0 == value } - 1) / 2 }
        }
        let (x, y) = (ranks(a), ranks(b))
        let mean = Double(a.count - 1) / 2
        let (u, v) = (x.map { $0 - mean }, y.map { $0 - mean })
        let lengths = u.length * v.length
        return lengths > 0 ? u.dot(v) / lengths : 0
    }

    @Test func phraseSimilarities() throws {
        let fitted = try sample.fitted()
        let (pool, stored) = try pool()
        let (texts, codes) = try sample.compute(
            SparseTextsStep(
                model: sample.model, layers: sample.layers, pool: pool, name: "words", phrases: 20,
                directions: fitted.directions,
                sizes: [1, 4]))
        let found = try PhraseSimilarityStep(
            layers: sample.layers, directions: fitted.directions, pool: pool, texts: texts, size: 1, seed: 3
        ).result(of: sample.given)
        let centred = stored.pool.centred
        func cosine(_ a: Int, _ b: Int) -> Double {
            centred[row: a].map(Double.init).dot(centred[row: b].map(Double.init))
        }
        func mean(_ chosen: [Int]) -> Double {
            let pairs = chosen.indices.flatMap { i in (i + 1..<chosen.count).map { cosine(chosen[i], chosen[$0]) } }
            return pairs.reduce(0, +) / Double(pairs.count)
        }
        #expect(abs(found.randomPhrases - mean(Array(0..<20))) < 1e-5)
        var compared = 0
        for layer in sample.layers {
            let (codes, values) = (try codes.layer(layer), try #require(found.layers[layer]))
            #expect(values.randomDirections.count == 256)
            for n in 0..<sample.neurons {
                let weights = (0..<4).compactMap { position -> (atom: Int, weight: Double)? in
                    let atom = Int(codes.atoms[n * 4 + position])
                    guard atom >= 0 else { return nil }
                    let coefficient = Double(codes.coefficients.elements[(sample.neurons + n) * 4 + position])
                    return (atom, coefficient * stored.pool.dictionary[row: atom].map(Double.init).length)
                }
                let chosen = weights.filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }.prefix(5).map(\.atom)
                if chosen.count < 2 {
                    #expect(values.neurons[n].isNaN)
                } else {
                    #expect(abs(Double(values.neurons[n]) - mean(chosen)) < 1e-5, "layer \(layer), neuron \(n)")
                    compared += 1
                }
            }
        }
        #expect(compared > 10)
    }

    /// Every layer's effects replaced by their projections onto what the phrases say.
    @Test func sparsePredictions() throws {
        let fitted = try sample.fitted()
        let (pool, stored) = try pool()
        let (texts, codes) = try sample.compute(
            SparseTextsStep(
                model: sample.model, layers: sample.layers, pool: pool, name: "words", phrases: 20,
                directions: fitted.directions,
                sizes: [1, 3]))
        let (classifier, weights) = try sample.classifier()
        let pools = [SparsePredictionsStep.Pool(name: "words", sizes: [1, 3], pool: pool, texts: texts)]
        let found = try SparsePredictionsStep(
            sample.model, layers: sample.layers, images: sample.evaluation, classifier: classifier, means: fitted.means,
            pools: pools
        ).result(of: sample.given)
        let conditions = SparseConditions(layers: sample.layers, pools: [.init(name: "words", sizes: [1, 3])])
        #expect(found.count == 7 && found.conditions == 6)
        let images = sample.literal(sample.fitPixels)
        for (position, layer) in sample.layers.enumerated() {
            let dense = sample.dense(layer: layer, images)
            for (image, oracle) in sample.literal(sample.evaluationPixels).enumerated() {
                let centred = dense.centred(oracle, layer: layer)
                let without = centred.reduce(oracle.scaled, -)
                for size in 0..<2 {
                    let sums = try codes.layer(layer).reconstructions(size, dictionary: stored.pool.dictionary)
                    let vector = centred.indices.reduce(without) { sum, n in
                        let direction = sums[row: n].map(Double.init)
                        let along = centred[n].dot(direction)
                        return sum.plus(direction.map { $0 * along })
                    }
                    let answer = sample.answer(vector, weights.weights)
                    let index = image * 6 + conditions.index(layer: position, pool: 0, size: size)
                    #expect(
                        abs(Double(found.margins[index]) - answer.margin) < 0.2,
                        "layer \(layer), image \(image), size \(size)")
                    #expect(Int(found.labels[index]) == answer.label || answer.margin < 0.2)
                }
            }
        }
    }

    /// Of every neuron the images with the largest effects, and small pictures of them.
    @Test func cardPictures() throws {
        let fitted = try sample.fitted()
        let directions = try sample.directions(fitted)
        let settings = CardPicturesStep.Settings(count: 3, budget: 9, size: 4, kept: 3)
        let found = try CardPicturesStep(
            model: sample.model, layers: sample.layers, images: sample.fit, fitted: fitted, settings: settings
        ).result(of: sample.given)
        #expect(found.images.count == 9 && found.images == found.images.sorted() && found.sheets.count == 1)
        let images = sample.literal(sample.fitPixels)
        for layer in sample.layers {
            let (dense, table) = (sample.dense(layer: layer, images), try #require(found.layers[layer]))
            let r = try directions.layer(layer).directions.directions
            for n in 0..<sample.neurons {
                for c in 0..<3 {
                    let (place, image) = (Int(table.pictures[n * 3 + c]), dense.chosen[n][c])
                    #expect(place < 0 || Int(found.images[place]) == image, "layer \(layer), neuron \(n), \(c)")
                    let along = dense.centred[image][n].dot(r[row: n].map(Double.init))
                    #expect(abs(Double(table.projections[row: n][n * 3 + c]) - along) < 1e-3 * dense.norms[n][image])
                }
            }
        }
    }

    /// What active neurons say of an image, added up phrase by phrase.
    @Test func conceptPhrases() throws {
        let fitted = try sample.fitted()
        let directions = try sample.directions(fitted)
        let (pool, stored) = try pool()
        let (texts, codes) = try sample.compute(
            SparseTextsStep(
                model: sample.model, layers: sample.layers, pool: pool, name: "words", phrases: 20,
                directions: fitted.directions,
                sizes: [1, 3]))
        let (handle, found) = try sample.compute(
            ConceptPhrasesStep(
                sample.model, layers: [0, 2], images: sample.evaluation, fitted: fitted, pool: pool, texts: texts,
                size: 1, kept: 4))
        let images = sample.literal(sample.fitPixels)
        for (image, oracle) in sample.literal(sample.evaluationPixels).enumerated() {
            var (norm, signed, active) = ([Double](repeating: 0, count: 20), [Double](repeating: 0, count: 20), 0)
            for layer in [0, 2] {
                let (dense, codes) = (sample.dense(layer: layer, images), try codes.layer(layer))
                let r = try directions.layer(layer).directions.directions
                for (n, effect) in dense.centred(oracle, layer: layer).enumerated()
                where effect.length > dense.thresholds[n] {
                    active += 1
                    for position in 0..<3 {
                        let atom = Int(codes.atoms[n * 3 + position])
                        guard atom >= 0 else { break }
                        let coefficient = Double(codes.coefficients.elements[(sample.neurons + n) * 3 + position])
                        norm[atom] += coefficient * effect.length
                        signed[atom] += coefficient * effect.dot(r[row: n].map(Double.init))
                    }
                }
            }
            let similarity = (0..<20).map { oracle.scaled.dot(stored.pool.embeddings[row: $0].map(Double.init)) }
            #expect(Int(found.active[image]) == active)
            for (score, values) in [(ConceptScore.norm, norm), (.signed, signed), (.similarity, similarity)] {
                let expected = values.sorted(by: >).prefix(4)
                let start = (image * 3 + (ConceptScore.allCases.firstIndex(of: score) ?? 0)) * 4
                let scale = values.map(abs).max() ?? 1
                for (value, wanted) in zip(found.scores[start..<start + 4], expected) {
                    #expect(abs(Double(value) - wanted) < 2e-3 * scale + 1e-5, "\(score) of image \(image)")
                }
            }
        }
        let gallery = try ConceptGalleryStep(images: sample.evaluation, pool: pool, found: handle, size: 8).result(
            of: sample.given)
        #expect(gallery.png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    }
}
