import Inputs
import Pipeline

/// The spec of the adversarial search: the keys of ``StudySpec``, and
///
/// ```yaml
/// pairs:
///   - {shown: dog, mistaken-for: deer, paper: dog-deer}
/// pools: [{name: words, source: names-and-keywords}]
/// sizes: [4, 8, 16, 32, 64, 128]
/// size: 32                          # phrases that describe a neuron
/// neurons: 100
/// neuron-layers: [0, 1, 2]
/// indirect-sample: {neurons: 64, images: 500}
/// phrases: 25
/// synonym-similarity: 0.6           # phrases nearer to the second class are dropped
/// descriptions: {count: 10, phrases-each: 3}
/// images-each: 10                   # of one description
/// repeats: 3
/// describer: {kind: templates}      # or {kind: chat, url: …, model: …}
/// generator: {kind: scenes}         # or {kind: command, command: [python3, scripts/serve_pictures.py]}
/// ```
struct AdversarialSearchSpec: Sendable {
    var study: StudySpec
    var pairs: [ClassPair]
    var pool: PoolSpec
    var sizes: [Int]
    /// Index of the size that describes a neuron.
    var size: Int
    /// Neurons whose descriptions are read.
    var neurons: Int
    /// Nil: all layers of the study.
    var neuronLayers: [Int]?
    var indirect: IndirectSample
    /// Phrases that descriptions are made of.
    var phrases: Int
    /// Cosine with the second class above which a phrase is its synonym.
    var synonymSimilarity: Double
    var descriptions: Int
    var phrasesEach: Int
    var imagesEach: Int
    var repeats: Int
    var describer: DescriberSpec
    var generator: GeneratorSpec

    /// Pictures of one pair, method and repeat.
    var pictures: Int { descriptions * imagesEach }

    private enum Key: String, CaseIterable {
        case pairs, pools, sizes, size, neurons, phrases, descriptions, repeats, describer, generator
        case neuronLayers = "neuron-layers"
        case indirectSample = "indirect-sample"
        case synonymSimilarity = "synonym-similarity"
        case imagesEach = "images-each"
    }

    private enum DescriptionKey: String, CaseIterable {
        case count
        case phrasesEach = "phrases-each"
    }

    /// - Parameter classNames: that the classifier chooses among.
    /// - Throws: `SpecError`, ``ExperimentError`` for a pool's file, `SearchError` for an address or a command,
    ///   and what `model` and `classNames` throw.
    init(
        _ document: SpecDocument, choices: SettingSpec.Choices, model: (OpenedInputs.ModelKey) throws -> ModelFacts,
        classNames: (StudySpec) throws -> [String]
    ) throws {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        pairs = try ClassPair.list(root, .pairs, among: classNames(study))
        pool = try PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = try root.sizes(.sizes, chosen: .size)
        neuronLayers = try root.neuronLayers(.neuronLayers, of: study)
        guard let sample = try IndirectSample(root, .indirectSample, of: study) else {
            throw root.invalid(.indirectSample, "the indirect baseline needs a sample of neurons and images")
        }
        indirect = sample
        let read = neuronLayers ?? study.layers ?? Array(study.facts.layers)
        if let sampled = sample.layers, let other = read.first(where: { !sampled.contains($0) }) {
            throw root.invalid(.indirectSample, "layer \(other), whose neurons are read, is not sampled")
        }
        let layers = neuronLayers?.count ?? study.layers?.count ?? study.facts.layers.count
        neurons = try root.integer(.neurons, in: 1...layers * study.facts.neurons)
        guard neurons <= layers * indirect.neurons else {
            throw root.invalid(
                .neurons,
                "\(neurons) neurons cannot be chosen from \(layers * indirect.neurons) whose indirect effects are sampled; raise indirect-sample")
        }
        phrases = try root.integer(.phrases, in: 1...10_000, default: 25)
        synonymSimilarity = try root.double(.synonymSimilarity, in: -1...1, default: 0.6)
        let descriptions = try root.mapping(.descriptions, keys: DescriptionKey.self)
        self.descriptions = try descriptions.integer(.count, in: 1...1000)
        phrasesEach = try descriptions.integer(.phrasesEach, in: 1...4)
        guard phrases >= phrasesEach else {
            throw root.invalid(.phrases, "a description takes \(phrasesEach) of them, so \(phrases) are too few")
        }
        imagesEach = try root.integer(.imagesEach, in: 1...1000)
        repeats = try root.integer(.repeats, in: 2...100)
        describer = try DescriberSpec(root, .describer)
        generator = try GeneratorSpec(root, .generator)
    }
}

/// A class that pictures show, and the class that they are to be taken for.
struct ClassPair: Sendable, Hashable, Codable {
    /// c₁
    var shown: String
    /// c₂
    var mistakenFor: String
    /// The pair of the paper's Table 3 that it reads like.
    var paper: String?
    /// Why the pair was chosen, for a reader: what else the neurons of the second class are expected to speak of.
    var why: String?

    /// `dog→deer`
    var name: String { "\(shown)→\(mistakenFor)" }

    /// `dog-deer`; whatever stands in a class's name, no folder and no option.
    var fileName: String {
        String("\(shown) \(mistakenFor)".map { $0.isLetter || $0.isNumber ? $0 : "-" })
    }

    private enum Key: String, CaseIterable {
        case shown, paper, why
        case mistakenFor = "mistaken-for"
    }

    /// - Throws: `SpecError`, also for a pair of equal classes and one that stands twice.
    static func list<Root>(_ root: SpecMapping<Root>, _ key: Root, among classes: [String]) throws -> [ClassPair] {
        var seen: Set<String> = []
        return try root.mappings(key, keys: Key.self).map { mapping in
            let pair = ClassPair(
                shown: try mapping.string(.shown, among: classes), mistakenFor: try mapping.string(.mistakenFor, among: classes),
                paper: mapping.has(.paper) ? try mapping.string(.paper, among: PaperValues.Table3.pairs) : nil,
                why: mapping.has(.why) ? try mapping.string(.why) : nil)
            guard pair.shown != pair.mistakenFor else {
                throw mapping.invalid(.mistakenFor, "a pair needs two classes, this is '\(pair.shown)' twice")
            }
            guard seen.insert(pair.name).inserted else { throw mapping.invalid(.shown, "the pair \(pair.name) stands twice") }
            return pair
        }
    }
}
