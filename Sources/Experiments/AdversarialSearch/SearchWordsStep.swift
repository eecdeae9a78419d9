import CLIPModel
import DenseMath
import Foundation
import Inputs
import Lens
import Pipeline

/// The phrases that each search found, best first.
struct SearchWords: Artefact, Codable {
    struct Search: Codable, Sendable {
        var unit: SearchUnit
        var phrases: [String]
        var scores: [Double]
        /// Phrases that scored as well and were dropped because they name the second class or are its synonyms.
        var synonyms: [String]
        /// Their similarity with the second class.
        var synonymSimilarities: [Double]
        /// The chosen neurons that tell the two classes apart most, where the method has neurons.
        var neurons: [Neuron]
        /// Phrases that were dropped because no allowed sprite shows them.
        var withoutPicture: Int
    }

    /// A neuron that was read.
    struct Neuron: Codable, Sendable {
        var layer: Int
        var neuron: Int
        /// ⟨v, r_n⟩
        var alignment: Double
        /// Its phrases turned towards the second class, the longest part of its direction first: `+bullseye`, `−horse`.
        var phrases: [String]
    }

    var searches: [Search]
    /// Neurons that were left out because they have no first direction.
    var withoutGap: WithoutGap

    struct WithoutGap: Codable, Sendable, Equatable {
        var secondOrder: Int
        var indirect: Int
    }
}

enum SearchWordsStep {
    struct Sources: Sendable {
        let classifier: StepHandle<StoredClassifier>
        /// Of the classes' bare names.
        let names: StepHandle<StoredClassifier>
        let directions: StepHandle<FittedDirections>
        let sampled: StepHandle<SampledEffects>
        let pool: StepHandle<StoredTextPool>
        let texts: StepHandle<FittedSparseTexts>
    }

    static func add(
        _ study: Study, _ spec: AdversarialSearchSpec, _ sources: Sources, in graph: inout Graph
    ) throws -> StepHandle<SearchWords> {
        let layers = spec.neuronLayers ?? study.layers
        let classes = study.classes
        var parameters: Parameters = [
            "pairs": .texts(spec.pairs.map(\.name)), "neuron-layers": .integers(layers), "neurons": .integer(spec.neurons),
            "size": .integer(spec.sizes[spec.size]), "phrases": .integer(spec.phrases), "gap": .number(spec.gap),
            "ranking": .text(spec.ranking.rawValue), "class-texts": .text(spec.classTexts.rawValue),
            "repeats": .integer(spec.repeats), "seed": .integer(study.spec.seed),
        ]
        parameters.merge(spec.synonyms.parameters) { $1 }
        if case .scenes(let excludesRelatives) = spec.generator.source {
            parameters["excludes-relatives"] = .bool(excludesRelatives)
        }
        return try graph.add(
            Step(
                kind: "search-words", version: 5, parameters: parameters,
                inputs: [
                    sources.classifier.erased, sources.names.erased, sources.directions.erased, sources.sampled.erased,
                    sources.pool.erased, sources.texts.erased,
                ], digests: ["world": try classes.digest()],
                work: .single { inputs in
                    let search = try WordSearch(
                        spec, seed: study.spec.seed,
                        classTexts: inputs[spec.classTexts == .names ? sources.names : sources.classifier].classifier.weights,
                        names: inputs[sources.names].classifier.weights, classNames: classes.names,
                        pool: inputs[sources.pool].pool,
                        secondOrder: .init(
                            inputs[sources.directions], texts: inputs[sources.texts], size: spec.size, layers: layers, gap: spec.gap),
                        indirect: .init(
                            inputs[sources.sampled], pool: inputs[sources.pool].pool, size: spec.sizes[spec.size],
                            layers: layers, gap: spec.gap),
                        scenes: spec.generator.isVerified
                            ? try SceneGenerator(
                                compositor: classes.requireScenes("generator: {kind: scenes}").sceneCompositor(), excludesRelatives: spec.generator.excludesRelatives)
                            : nil)
                    return SearchWords(
                        searches: try SearchUnit.all(spec).map { unit in
                            try inputs.checkCancellation()
                            return search(unit)
                        }, withoutGap: search.withoutGap)
                }))
    }
}

/// Directions of neurons with the phrases that describe them, whatever effect they are of; those without a gap to the next
/// direction are left out, because rounding decides which direction is theirs.
struct DescribedNeurons: Sendable {
    /// r_n. // [n, d]
    fileprivate(set) var directions: Tensor
    /// Rows of the pool, −1 for none. // [n, m]
    fileprivate(set) var phrases: [Int32] = []
    /// γ. // [n, m]
    fileprivate(set) var coefficients: [Float] = []
    /// m.
    let size: Int
    /// Layer and index in it of each neuron.
    fileprivate(set) var places: [(layer: Int, neuron: Int)] = []
    /// Neurons that were left out.
    fileprivate(set) var withoutGap = 0

    var count: Int { directions.shape[0] }
}

extension DescribedNeurons {
    /// The neurons of some layers by their second-order effects.
    /// - Parameter gap: of σ₂/σ₁, above which a neuron is left out.
    /// - Throws: `PipelineError.invalidArtefact`.
    init(_ fitted: FittedDirections, texts: FittedSparseTexts, size index: Int, layers: [Int], gap: Double) throws {
        self.init(directions: Tensor(shape: [0, 1], elements: []), size: try layers.first.map { try texts.layer($0).sizes[index] } ?? 0)
        for layer in layers {
            try add(texts.layer(layer), size: index, fitted.layer(layer).directions, layer: layer, neurons: nil, gap: gap)
        }
    }

    /// The sampled neurons of some layers by their indirect effects, described from the same pool.
    /// - Throws: `PipelineError.invalidArtefact`.
    init(_ sampled: SampledEffects, pool: TextPool, size: Int, layers: [Int], gap: Double) throws {
        self.init(directions: Tensor(shape: [0, 1], elements: []), size: size)
        for layer in layers {
            guard let found = sampled.layers[layer] else {
                throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
            }
            let codes = MatchingPursuit(dictionary: pool.dictionary)(found.indirect.directions.directions, sizes: [size])
            add(codes, size: 0, found.indirect.directions, layer: layer, neurons: found.neurons, gap: gap)
        }
    }

    /// - Parameter neurons: the index in the layer of each row; nil for the row itself.
    private mutating func add(
        _ codes: SparseCodes, size index: Int, _ found: PrincipalDirections, layer: Int, neurons: [Int32]?, gap: Double
    ) {
        let (n, m, d) = (found.directions.shape[0], codes.coefficients.shape[2], found.directions.rowCount)
        let kept = (0..<n).filter { found.hasFirst($0, gap: gap) }
        withoutGap += n - kept.count
        directions = Tensor(
            shape: [count + kept.count, d], elements: directions.elements + kept.flatMap { found.directions[row: $0] })
        for row in kept {
            phrases += codes.atoms[row * m..<row * m + size]
            let start = (index * n + row) * m
            coefficients += codes.coefficients.elements[start..<start + size]
            places.append((layer, neurons.map { Int($0[row]) } ?? row))
        }
    }
}

extension GeneratorSpec {
    var excludesRelatives: Bool { if case .scenes(let excludes) = source { excludes } else { false } }
}
