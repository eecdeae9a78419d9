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
}

enum SearchWordsStep {
    struct Sources: Sendable {
        let classifier: StepHandle<StoredClassifier>
        let directions: StepHandle<FittedDirections>
        let indirect: StepHandle<IndirectDirections>
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
            "size": .integer(spec.sizes[spec.size]), "phrases": .integer(spec.phrases),
            "synonym-similarity": .number(spec.synonymSimilarity), "repeats": .integer(spec.repeats),
            "seed": .integer(study.spec.seed),
        ]
        if case .scenes(let excludesRelatives) = spec.generator.source {
            parameters["excludes-relatives"] = .bool(excludesRelatives)
        }
        return try graph.add(
            Step(
                kind: "search-words", version: 4, parameters: parameters,
                inputs: [
                    sources.classifier.erased, sources.directions.erased, sources.indirect.erased, sources.pool.erased,
                    sources.texts.erased,
                ], digests: ["world": try classes.digest()],
                work: .single { inputs in
                    let search = WordSearch(
                        spec, seed: study.spec.seed, classifier: try inputs[sources.classifier].classifier,
                        classNames: classes.names, pool: try inputs[sources.pool].pool,
                        secondOrder: try .init(
                            inputs[sources.directions], texts: inputs[sources.texts], size: spec.size, layers: layers),
                        indirect: try .init(
                            inputs[sources.indirect], pool: inputs[sources.pool].pool, size: spec.sizes[spec.size],
                            layers: layers),
                        scenes: spec.generator.isVerified
                            ? try SceneGenerator(
                                compositor: classes.requireScenes("generator: {kind: scenes}").sceneCompositor(), excludesRelatives: spec.generator.excludesRelatives)
                            : nil)
                    return SearchWords(
                        searches: try SearchUnit.all(spec).map { unit in
                            try inputs.checkCancellation()
                            return search(unit)
                        })
                }))
    }
}

/// Directions of neurons with the phrases that describe them, whatever effect they are of.
struct DescribedNeurons: Sendable {
    /// r_n. // [n, d]
    let directions: Tensor
    /// Rows of the pool, −1 for none. // [n, m]
    let phrases: [Int32]
    /// γ. // [n, m]
    let coefficients: [Float]
    /// m.
    let size: Int
    /// Layer and index in it of each neuron.
    let places: [(layer: Int, neuron: Int)]

    var count: Int { directions.shape[0] }
}

extension DescribedNeurons {
    /// The neurons of some layers by their second-order effects.
    /// - Throws: `PipelineError.invalidArtefact`.
    init(_ fitted: FittedDirections, texts: FittedSparseTexts, size index: Int, layers: [Int]) throws {
        var (rows, phrases, coefficients) = ([Float](), [Int32](), [Float]())
        var (count, d) = (0, 1)
        size = try layers.first.map { try texts.layer($0).sizes[index] } ?? 0
        for layer in layers {
            let (directions, codes) = (try fitted.layer(layer).directions.directions, try texts.layer(layer))
            let m = codes.coefficients.shape[2]
            (count, d) = (count + directions.shape[0], directions.shape[1])
            rows += directions.elements
            for n in 0..<codes.count {
                phrases += codes.atoms[n * m..<n * m + size]
                let start = (index * codes.count + n) * m
                coefficients += codes.coefficients.elements[start..<start + size]
            }
        }
        directions = Tensor(shape: [count, d], elements: rows)
        (self.phrases, self.coefficients) = (phrases, coefficients)
        places = layers.flatMap { layer in (0..<count / max(layers.count, 1)).map { (layer, $0) } }
    }

    /// The sampled neurons of some layers by their indirect effects, described from the same pool.
    /// - Throws: `PipelineError.invalidArtefact`.
    init(_ fitted: IndirectDirections, pool: TextPool, size: Int, layers: [Int]) throws {
        let parts = try layers.map { layer in
            guard let part = fitted.layers[layer] else {
                throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
            }
            return part
        }
        places = zip(layers, parts).flatMap { layer, part in part.neurons.map { (layer, Int($0)) } }
        directions = Tensor(
            shape: [places.count, pool.dictionary.shape[1]], elements: parts.flatMap(\.directions.directions.elements))
        let codes = MatchingPursuit(dictionary: pool.dictionary)(directions, sizes: [size])
        (phrases, coefficients, self.size) = (codes.atoms, codes.coefficients.elements, size)
    }
}

extension GeneratorSpec {
    var excludesRelatives: Bool { if case .scenes(let excludes) = source { excludes } else { false } }
}
