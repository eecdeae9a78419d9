import CLIPModel
import DenseMath
import Foundation
import Foundations
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
    /// Share of the phrases by indirect effects that are found again where directions are turned by ``angle``, 0…1, and 1 where none was found: which of two
    /// phrases a pursuit takes at a near tie hangs on rounding, and so do a few words of each search.
    var indirectFoundAgain: Double

    /// Radians: indirect effects are small differences of two passes, and other kernels were seen to turn nine in ten of their
    /// directions by less.
    static let angle: Float = 0.0001

    struct WithoutGap: Codable, Sendable, Equatable {
        var secondOrder: Int
        var indirect: Int
    }
}

/// Searches, for each pair of classes, the phrases that tell them apart.
struct SearchWordsStep: StepDefinition {
    let spec: AdversarialSearchSpec
    /// Whose neurons are read.
    let layers: [Int]
    let classes: StudyClasses
    let classifier: StepHandle<StoredClassifier>
    /// Embeddings of the classes' bare names.
    let names: StepHandle<StoredClassifier>
    let directions: StepHandle<FittedDirections>
    let sampled: StepHandle<SampledEffects>
    let pool: StepHandle<StoredTextPool>
    let texts: StepHandle<FittedSparseTexts>

    /// Times that directions are turned.
    private static let turns = 8

    func step() throws -> Step<SearchWords> {
        var parameters: Parameters = [
            "pairs": .texts(spec.pairs.map(\.name)), "neuron-layers": .integers(layers),
            "neurons": .integer(spec.neurons),
            "size": .integer(spec.sizes[spec.size]), "phrases": .integer(spec.phrases), "gap": .number(spec.gap),
            "ranking": .text(spec.ranking.rawValue), "class-texts": .text(spec.classTexts.rawValue),
            "repeats": .integer(spec.repeats), "seed": .integer(spec.study.seed),
        ]
        parameters.merge(try spec.synonyms.parameters()) { $1 }
        if case .scenes(let excludesRelatives) = spec.generator.source {
            parameters["excludes-relatives"] = .bool(excludesRelatives)
        }
        return Step(
            kind: "search-words", version: 6, parameters: parameters,
            inputs: [
                classifier.erased, names.erased, directions.erased, sampled.erased, pool.erased, texts.erased,
            ], digests: ["world": try classes.digest()],
            work: .single { inputs in
                let (sampled, pool) = (try inputs[sampled], try inputs[pool].pool)
                let scenes =
                    spec.generator.isVerified
                    ? try SceneGenerator(
                        compositor: classes.requireScenes("generator: {kind: scenes}").sceneCompositor(),
                        excludesRelatives: spec.generator.excludesRelatives)
                    : nil
                func search(_ sampled: SampledEffects) throws -> WordSearch {
                    try WordSearch(
                        spec, seed: spec.study.seed,
                        classTexts: inputs[spec.classTexts == .names ? names : classifier].classifier.weights,
                        names: inputs[names].classifier.weights, classNames: classes.names, pool: pool,
                        secondOrder: .init(
                            inputs[directions], texts: inputs[texts], size: spec.size, layers: layers, gap: spec.gap),
                        indirect: .init(
                            sampled, pool: pool, size: spec.sizes[spec.size], layers: layers, gap: spec.gap),
                        scenes: scenes)
                }
                let found = try search(sampled)
                let searches = try SearchUnit.all(spec).map { unit in
                    try inputs.checkCancellation()
                    return found(unit)
                }
                var random = SplitMix64(seed: UInt64(spec.study.seed), label: "turned directions", index: 0)
                let again = try (0..<Self.turns).flatMap { _ in
                    try inputs.checkCancellation()
                    return try search(sampled.turned(by: SearchWords.angle, &random)).foundAgain(searches)
                }
                return SearchWords(
                    searches: searches, withoutGap: found.withoutGap, indirectFoundAgain: again.isEmpty ? 1 : again.mean
                )
            })
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
        self.init(
            directions: Tensor(shape: [0, 1], elements: []),
            size: try layers.first.map { try texts.layer($0).sizes[index] } ?? 0)
        for layer in layers {
            try add(
                texts.layer(layer), size: index, fitted.layer(layer).directions, layer: layer, neurons: nil, gap: gap)
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
            let codes = MatchingPursuit(dictionary: pool.dictionary)(
                found.indirect.directions.directions, sizes: [size])
            add(codes, size: 0, found.indirect.directions, layer: layer, neurons: found.neurons, gap: gap)
        }
    }

    /// - Parameter neurons: the index in the layer of each row; nil for the row itself.
    private mutating func add(
        _ codes: SparseCodes, size index: Int, _ found: PrincipalDirections, layer: Int, neurons: [Int32]?, gap: Double
    ) {
        let (n, m, d) = (found.directions.shape[0], codes.coefficients.shape[2], found.directions.rowWidth)
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

extension SampledEffects {
    /// A copy with every direction of indirect effects turned by an angle, in radians.
    fileprivate func turned(by angle: Float, _ random: inout SplitMix64) -> SampledEffects {
        var result = self
        for layer in layers.keys.sorted() {
            result.layers[layer]?.indirect.directions =
                layers[layer]?.indirect.directions.turned(by: angle, &random) ?? .init([], width: 1)
        }
        return result
    }
}

extension WordSearch {
    /// For each pair, the share of the phrases by indirect effects that this search finds too; of the first repeat.
    func foundAgain(_ searches: [SearchWords.Search]) -> [Double] {
        searches.filter { $0.unit.method == .indirect && $0.unit.repeat == 0 && !$0.phrases.isEmpty }.map { search in
            let own = Set(self(search.unit).phrases)
            return Double(search.phrases.count(where: own.contains)) / Double(search.phrases.count)
        }
    }
}

extension GeneratorSpec {
    var excludesRelatives: Bool { if case .scenes(let excludes) = source { excludes } else { false } }
}
