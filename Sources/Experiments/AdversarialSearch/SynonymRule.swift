import DenseMath
import Inputs
import Lens
import Pipeline

/// What makes a phrase a synonym of a class, so that no picture of the class's absence may show it: `synonyms:` of a spec.
///
/// ```yaml
/// synonyms: {above: 0.5}
/// synonyms:
///   above: 0.6
///   similarities: similarities.tsv     # scripts/make_similarities.py makes it; begins at the spec's folder
///   blocked: [{class: automobile, phrases: [car, tesla]}]
/// ```
///
/// All texts of a CLIP lie in a narrow cone, any two names of OpenAI's ViT-B/32 at a cosine of 0.74 on average and never below
/// 0.6, so that a cosine says nothing. Similarities are of texts *less the mean of the pool*: unrelated names have 0 then, and
/// 0.5 separates what a person would call the same thing. arXiv 2406.04341 takes those of a sentence encoder, which a file
/// brings, and lists of blocked phrases.
struct SynonymRule: Sendable {
    /// Similarity with the class above which a phrase is its synonym.
    var threshold: Double
    /// Similarities of classes and phrases; nil: those of the model.
    var similarities: SharedFile<SimilarityFile>?
    /// Phrases that are dropped whatever their similarity, by class.
    var blocked: [String: [String]]

    private enum Key: String, CaseIterable {
        case above, similarities, blocked
    }

    private enum BlockedKey: String, CaseIterable {
        case `class`, phrases
    }

    /// The threshold for similarities of the model, and for those of the encoder that released code has.
    private static let usual = (model: 0.5, file: 0.6)

    init(
        threshold: Double = usual.model, similarities: SharedFile<SimilarityFile>? = nil,
        blocked: [String: [String]] = [:]
    ) {
        (self.threshold, self.similarities, self.blocked) = (threshold, similarities, blocked)
    }

    /// - Parameter classes: names that phrases can be blocked for; nil where they are not known.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root, among classes: [String]?) {
        guard let mapping = root.optionalMapping(key, keys: Key.self) else {
            self.init()
            return
        }
        let similarities = mapping.optionalFile(.similarities).map { SharedFile($0, read: SimilarityFile.init) }
        let usual = similarities == nil ? Self.usual.model : Self.usual.file
        self.init(threshold: mapping.double(.above, in: -1...1, default: usual), similarities: similarities)
        for entry in mapping.has(.blocked) ? mapping.mappings(.blocked, keys: BlockedKey.self) : [] {
            let name = entry.className(.class, among: classes)
            let earlier = blocked.updateValue(entry.strings(.phrases), forKey: name)
            entry.check(.class, holds: earlier == nil, "'\(name)' stands twice")
        }
    }

    /// All that decides it, for the key of a step.
    /// - Throws: `InputError` for the file.
    func parameters() throws -> Parameters {
        var parameters: Parameters = [
            "synonyms-above": .number(threshold),
            "blocked": .list(blocked.sorted { $0.key < $1.key }.map { .texts([$0.key] + $0.value) }),
        ]
        if let similarities { parameters["similarities"] = .text(try similarities.contents().digest) }
        return parameters
    }

    /// By the name that papers' files use.
    var setting: String {
        "\(similarities?.url.lastPathComponent ?? "less the pool's mean") above \(threshold), \(blocked.count) block lists"
    }

    /// For the footnote of a table.
    var words: String {
        let source = similarities.map { "by \($0.url.lastPathComponent)" } ?? "of texts less the pool's mean"
        let also = blocked.isEmpty ? "" : ", and phrases that the spec blocks"
        return
            "Dropped as synonyms of the second class: phrases with a similarity above \(threshold) (\(source)) or that mention it\(also)."
    }

    /// Similarities of all phrases of a pool with a class.
    /// - Parameter text: of the class, in the form that the pool's phrases have. // [d]
    /// - Throws: `InputError` for a file that lacks one of them.
    /// - Returns: // [phrases]
    func similarities(of pool: TextPool, with name: String, text: ArraySlice<Float>) throws -> [Float] {
        try similarities?.contents().values(of: pool.phrases, with: name) ?? pool.centredSimilarities(with: text)
    }
}
