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
struct AdversarialSearchSpec: ExperimentSpec {
    var study: StudySpec
    var setting: SettingSpec { study.setting }
    var pairs: [ClassPair]
    var pool: PoolSpec
    var sizes: [Int]
    /// Index of the size that describes a neuron.
    var size: Int
    /// Neurons whose descriptions are read.
    var neurons: Int
    /// Of the layers of the study.
    var neuronLayers: [Int]
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
    /// - Throws: ``ExperimentError`` for a pool's file.
    func settings() throws -> [String: String] {
        [
            "neurons": "\(neurons)", "neuron-layers": neuronLayers.map(String.init).joined(separator: "+"),
            "m": "\(sizes[size])",
            "words": try pool.setting(), "phrases": "\(phrases)", "ranking": ranking.rawValue,
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

    init(_ reader: SpecReader, choices: SpecChoices) {
        let root = reader.root(keys: Key.self, besides: StudySpec.keyNames)
        study = StudySpec(reader, besides: Key.names, choices: choices)
        pairs = ClassPair.list(root, .pairs, choices)
        pool = PoolSpec.one(root, .pools, data: choices.data)
        (sizes, size) = root.sizes(.sizes, chosen: .size)
        neuronLayers = root.neuronLayers(.neuronLayers, of: study, choices)
        indirect = EffectSample(root, .indirectSample, of: study, choices)
        let sampled = indirect.layers
        let unsampled = neuronLayers.first { !sampled.contains($0) }
        root.check(
            .indirectSample, with: .neuronLayers, holds: unsampled == nil,
            "layer \(unsampled ?? 0), whose neurons are read, is not sampled")
        neurons = root.integer(.neurons, in: 1...choices.model.neurons(of: neuronLayers))
        let available = neuronLayers.count * indirect.neurons
        root.check(
            .neurons, with: .indirectSample, holds: neurons <= available,
            "\(neurons) neurons cannot be chosen from \(available) whose indirect effects are sampled; raise indirect-sample"
        )
        phrases = root.integer(.phrases, in: 1...10_000, default: 25)
        gap = root.double(.gap, in: 0...1, default: PrincipalDirections.usualGap)
        ranking = root.choice(.ranking, default: .sums)
        classTexts = root.choice(.classTexts, default: .templates)
        synonyms = SynonymRule(root, .synonyms, among: choices.classes)
        let descriptions = root.mapping(.descriptions, keys: DescriptionKey.self)
        self.descriptions = descriptions.integer(.count, in: 1...1000)
        phrasesEach = descriptions.integer(.phrasesEach, in: 1...4)
        root.check(
            .phrases, with: .descriptions, holds: phrases >= phrasesEach,
            "a description takes \(phrasesEach) of them, so \(phrases) are too few")
        imagesEach = root.integer(.imagesEach, in: 1...1000)
        repeatCounts = root.integers(.repeats, in: 2...100).sorted()
        describer = DescriberSpec(root, .describer)
        generator = GeneratorSpec(root, .generator)
    }

    /// Pairs are of classes that the classifier knows, and like pairs of the paper.
    func choices(in context: ExperimentContext) throws -> SpecChoices {
        var choices = SpecChoices(context)
        choices.model = ModelFacts(try context.opened.model(setting.modelKey))
        choices.classes = try Study.classes(study, of: study.fit, context: context).names
        choices.papersPairs = try context.papers().table(Self.paper.short, Self.paper.table)?.rows ?? []
        return choices
    }

    /// Where the numbers of the paper stand.
    static let paper = (short: "2nd order", table: "Table 3")
}

extension SpecMapping {
    /// A name of the reader's own list, which no message shows.
    /// - Parameter classes: nil where they are not known.
    func className(_ key: Key, among classes: [String]?) -> String {
        classes.map { string(key, among: $0, areListed: false) } ?? string(key)
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

    /// A pair of equal classes is a fault, and one that stands twice.
    static func list<Root>(_ root: SpecMapping<Root>, _ key: Root, _ choices: SpecChoices) -> [ClassPair] {
        var seen: Set<String> = []
        return root.mappings(key, keys: Key.self).map { mapping in
            let pair = ClassPair(
                shown: mapping.className(.shown, among: choices.classes),
                mistakenFor: mapping.className(.mistakenFor, among: choices.classes),
                paper: mapping.has(.paper)
                    ? choices.papersPairs.map { mapping.string(.paper, among: $0) } ?? mapping.string(.paper) : nil,
                why: mapping.optionalString(.why))
            mapping.check(
                .mistakenFor, with: .shown, holds: pair.shown != pair.mistakenFor,
                "a pair needs two classes, this is '\(pair.shown)' twice")
            let isNew = seen.insert(pair.name).inserted
            mapping.check(.shown, with: .mistakenFor, holds: isNew, "the pair \(pair.name) stands twice")
            return pair
        }
    }
}
