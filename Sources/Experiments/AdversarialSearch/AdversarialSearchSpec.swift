import Inputs
import Lens
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
/// gap: 0.95                         # of σ₂/σ₁, above which a neuron has no direction and is left out
/// phrases: 25
/// ranking: sums                     # of a phrase's scores over neurons; or pairs: of neuron and phrase, as released code has it
/// class-texts: templates            # of v; or names: the bare names, as released code has it
/// synonyms: {above: 0.5}            # see SynonymRule
/// descriptions: {count: 10, phrases-each: 3}
/// images-each: 10                   # of one description
/// repeats: [3, 20]                  # as many are made as the last says, and shares are taken over each number of them
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
    var indirect: EffectSample
    /// Phrases that descriptions are made of.
    var phrases: Int
    /// Largest σ₂/σ₁ of a neuron with a first direction; those above are left out.
    var gap: Double
    var ranking: Ranking
    var classTexts: ClassTexts
    var synonyms: SynonymRule
    var descriptions: Int
    var phrasesEach: Int
    var imagesEach: Int
    /// Numbers of repeats that shares are taken over, ascending.
    var repeatCounts: [Int]
    var describer: DescriberSpec
    var generator: GeneratorSpec

    /// What phrases are ranked by.
    enum Ranking: String, CaseIterable, Sendable {
        /// w_j = Σ_n γ_j^n ⟨v, r_n⟩, as arXiv 2406.04341 has it.
        case sums
        /// γ_j^n ⟨v, r_n⟩ of each neuron and phrase by itself, as its released code has it: a phrase that several neurons
        /// bring takes several places.
        case pairs
    }

    /// Texts of the classes that v is the difference of.
    enum ClassTexts: String, CaseIterable, Sendable {
        /// Those of the zero-shot classifier.
        case templates
        /// The bare names, as released code has it.
        case names
    }

    /// Repeats that are made.
    var repeats: Int { repeatCounts.last ?? 0 }

    /// Pictures of one pair, method and repeat.
    var pictures: Int { descriptions * imagesEach }

    /// What decides the search besides what decides a study, by the names that papers' files use.
    var settings: [String: String] {
        let layers = neuronLayers ?? study.layers ?? Array(study.facts.layers)
        return [
            "neurons": "\(neurons)", "neuron-layers": layers.map(String.init).joined(separator: "+"),
            "m": "\(sizes[size])",
            "words": pool.setting, "phrases": "\(phrases)", "ranking": ranking.rawValue,
            "class-texts": classTexts.rawValue,
            "synonyms": synonyms.setting, "descriptions": "\(descriptions) × \(imagesEach)",
            "describer": describer.setting,
            "generator": generator.setting,
        ]
    }

    private enum Key: String, CaseIterable {
        case pairs, pools, sizes, size, neurons, phrases, descriptions, repeats, describer, generator, gap, ranking,
            synonyms
        case classTexts = "class-texts"
        case neuronLayers = "neuron-layers"
        case indirectSample = "indirect-sample"
        case imagesEach = "images-each"
    }

    private enum DescriptionKey: String, CaseIterable {
        case count
        case phrasesEach = "phrases-each"
    }

    /// - Parameters:
    ///   - papersPairs: pairs that the paper has numbers of.
    ///   - classNames: that the classifier chooses among.
    /// - Throws: `SpecError`, ``ExperimentError`` for a pool's file, `SearchError` for an address or a command,
    ///   and what `model` and `classNames` throw.
    init(
        _ document: SpecDocument, choices: SettingSpec.Choices, papersPairs: [String],
        model: (OpenedInputs.ModelKey) throws -> ModelFacts, classNames: (StudySpec) throws -> [String]
    ) throws {
        let root = try document.root(keys: Key.self, besides: StudySpec.keyNames)
        study = try StudySpec(document, besides: Key.names, choices: choices, model: model)
        let classes = try classNames(study)
        pairs = try ClassPair.list(root, .pairs, among: classes, papers: papersPairs)
        pool = try PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = try root.sizes(.sizes, chosen: .size)
        neuronLayers = try root.neuronLayers(.neuronLayers, of: study)
        guard let sample = try EffectSample(root, .indirectSample, of: study) else {
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
                "\(neurons) neurons cannot be chosen from \(layers * indirect.neurons) whose indirect effects are sampled; raise indirect-sample"
            )
        }
        phrases = try root.integer(.phrases, in: 1...10_000, default: 25)
        gap = try root.double(.gap, in: 0...1, default: PrincipalDirections.usualGap)
        ranking = try root.choice(.ranking, default: .sums)
        classTexts = try root.choice(.classTexts, default: .templates)
        synonyms = try SynonymRule(root, .synonyms, among: classes)
        let descriptions = try root.mapping(.descriptions, keys: DescriptionKey.self)
        self.descriptions = try descriptions.integer(.count, in: 1...1000)
        phrasesEach = try descriptions.integer(.phrasesEach, in: 1...4)
        guard phrases >= phrasesEach else {
            throw root.invalid(.phrases, "a description takes \(phrasesEach) of them, so \(phrases) are too few")
        }
        imagesEach = try root.integer(.imagesEach, in: 1...1000)
        repeatCounts = try root.integers(.repeats, in: 2...100).sorted()
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
    static func list<Root>(
        _ root: SpecMapping<Root>, _ key: Root, among classes: [String], papers: [String]
    ) throws -> [ClassPair] {
        var seen: Set<String> = []
        return try root.mappings(key, keys: Key.self).map { mapping in
            let pair = ClassPair(
                shown: try mapping.string(.shown, among: classes, areListed: false),
                mistakenFor: try mapping.string(.mistakenFor, among: classes, areListed: false),
                paper: mapping.has(.paper) ? try mapping.string(.paper, among: papers) : nil,
                why: mapping.has(.why) ? try mapping.string(.why) : nil)
            guard pair.shown != pair.mistakenFor else {
                throw mapping.invalid(.mistakenFor, "a pair needs two classes, this is '\(pair.shown)' twice")
            }
            guard seen.insert(pair.name).inserted else {
                throw mapping.invalid(.shown, "the pair \(pair.name) stands twice")
            }
            return pair
        }
    }
}
