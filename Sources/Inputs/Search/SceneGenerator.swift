import Foundation
import Foundations

/// Pictures of the emoji world: the shown class in front, beside it the sprites that a description's
/// phrases name. "Shows c₁" and "does not show c₂" hold by construction.
public struct SceneGenerator: PictureGenerator {
    public let compositor: SceneCompositor
    /// Whether the concepts of the forbidden class's CLDR subgroup, and those that share a word of its
    /// name, stay away too: a fox is no dog, but a picture of one looks like it.
    public let excludesRelatives: Bool
    private let vocabulary: SpriteVocabulary
    private let world: String

    public init(compositor: SceneCompositor, excludesRelatives: Bool = true) throws {
        self.compositor = compositor
        self.excludesRelatives = excludesRelatives
        vocabulary = SpriteVocabulary(compositor.catalogue)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let concepts = compositor.catalogue.concepts.map { [$0.name, $0.subgroup] + $0.keywords }
        world = Digest.sha256(
            of: try [encoder.encode(compositor.recipe), encoder.encode(concepts)]
                + compositor.sprites.map { Data($0.pixels) })
    }

    public var identity: [String: String] {
        [
            "generator": "scenes", "version": "1", "world": world, "seed": "\(compositor.seed)",
            "excludes-relatives": "\(excludesRelatives)",
        ]
    }

    /// The concepts that a phrase may place beside the shown class: those that it names, or else those that
    /// have it as a keyword, or else those that the longest run of its words names or has as a keyword,
    /// without the shown class and without what ``excluded(forbidden:)`` excludes.
    /// - Returns: indices of the catalogue, ascending; empty for a phrase that no allowed sprite shows.
    public func concepts(for phrase: String, shown: String, forbidden: String) -> [Int] {
        concepts(for: phrase, shown: shown, excluded: excluded(forbidden: forbidden))
    }

    /// - Parameter excluded: that of the forbidden class, which takes longer to find than a phrase's concepts.
    public func concepts(for phrase: String, shown: String, excluded: Set<Int>) -> [Int] {
        allowed(vocabulary.concepts(for: phrase), shown: shown, excluded: excluded)
    }

    private func allowed(_ concepts: [Int], shown: String, excluded: Set<Int>) -> [Int] {
        concepts.filter { !excluded.contains($0) && $0 != vocabulary.index(of: shown) }
    }

    /// The concepts that never stand in a picture without `forbidden`: the class itself, all whose name
    /// or keywords mention it, and its relatives if they are excluded.
    public func excluded(forbidden: String) -> Set<Int> { away(forbidden).excluded }

    /// What a forbidden class keeps out of pictures.
    private struct Away {
        let forbidden: String
        /// The concepts that show it, by name or keyword.
        let mentioning: Set<Int>
        /// Those and, if they are excluded, its relatives.
        let excluded: Set<Int>
    }

    private func away(_ forbidden: String) -> Away {
        let mentioning = vocabulary.mentioning(forbidden)
        return Away(
            forbidden: forbidden, mentioning: mentioning,
            excluded: excludesRelatives ? mentioning.union(vocabulary.relatives(of: forbidden)) : mentioning)
    }

    /// Knows the keywords too: a ship that is a boat by its keywords cannot be without a boat.
    /// - Throws: ``SearchError/unknownConcept(name:)`` when the shown class is no concept,
    ///   ``SearchError/contradictoryRequest(shown:forbidden:)`` when it is or mentions the forbidden one.
    public func check(shown: String, forbidden: String) throws {
        _ = try concept(shown, without: away(forbidden))
    }

    private func concept(_ shown: String, without away: Away) throws -> Int {
        guard let concept = vocabulary.index(of: shown) else { throw SearchError.unknownConcept(name: shown) }
        guard !away.mentioning.contains(concept) else {
            throw SearchError.contradictoryRequest(shown: shown, forbidden: away.forbidden)
        }
        return concept
    }

    /// - Throws: as ``check(shown:forbidden:)``.
    public func pictures(
        _ requests: [PictureRequest], isCancelled: @Sendable () -> Bool = { false }
    ) throws -> [Result<GeneratedPicture, PictureFailure>] {
        // Requests of one pair of classes stand together.
        var away = Away(forbidden: "", mentioning: [], excluded: [])
        return try requests.map { request in
            guard !isCancelled() else { return .failure(.cancelled) }
            if away.forbidden != request.forbidden { away = self.away(request.forbidden) }
            let shown = try concept(request.shown, without: away)
            let size = compositor.recipe.imageSize
            guard request.size == size else {
                return .failure(.wrongSize(found: [size, size], expected: request.size))
            }
            let others = objects(request, excluded: away.excluded)
            let scene = compositor.scene(
                showing: shown, beside: others, label: "search \(request.id)", index: request.seed,
                avoiding: away.excluded)
            return .success(
                GeneratedPicture(image: scene.image, objects: others.map { compositor.catalogue.names[$0] }))
        }
    }

    /// One concept for each phrase of the description that has one, up to as many as a scene shows.
    private func objects(_ request: PictureRequest, excluded: Set<Int>) -> [Int] {
        var random = SplitMix64(seed: request.seed, label: "sprites \(request.id)", index: 0)
        var chosen: [Int] = []
        for phrase in request.prompt.phrases where chosen.count < SceneCompositor.mostOthers {
            let candidates = allowed(vocabulary.concepts(for: phrase), shown: request.shown, excluded: excluded)
                .filter { !chosen.contains($0) }
            if !candidates.isEmpty { chosen.append(candidates[random.below(candidates.count)]) }
        }
        return chosen
    }
}

/// The words by which the concepts of a catalogue are known.
struct SpriteVocabulary: Sendable {
    private let concepts: [EmojiConcept]
    /// The words of each concept's name, then of its keywords.
    private let texts: [[[String]]]
    /// Concepts by their name and by each of their keywords, in singular and plural. // words joined by a space
    private let byName: [String: [Int]]
    private let byKeyword: [String: [Int]]

    init(_ catalogue: EmojiCatalogue) {
        concepts = catalogue.concepts
        texts = concepts.map { ([$0.name] + $0.keywords).map(Wording.words) }
        var (byName, byKeyword): ([String: Set<Int>], [String: Set<Int>]) = ([:], [:])
        for (index, texts) in texts.enumerated() {
            for key in Self.keys(texts[0]) { byName[key, default: []].insert(index) }
            for key in texts.dropFirst().flatMap(Self.keys) { byKeyword[key, default: []].insert(index) }
        }
        self.byName = byName.mapValues { $0.sorted() }
        self.byKeyword = byKeyword.mapValues { $0.sorted() }
    }

    /// A phrase with its last word in singular and in plural.
    private static func keys(_ words: some BidirectionalCollection<String>) -> [String] {
        guard let last = words.last else { return [] }
        return Wording.forms(of: last).sorted().map { (words.dropLast() + [$0]).joined(separator: " ") }
    }

    /// The concept of exactly this name.
    func index(of name: String) -> Int? {
        let index = concepts.firstIndex { $0.name == name }
        return index ?? concepts.firstIndex { $0.name == name.lowercased() }
    }

    /// The concepts of this name, or else with this keyword, of the longest run of the phrase's words that has any.
    func concepts(for phrase: String) -> [Int] {
        let words = Wording.words(phrase)
        for length in stride(from: min(words.count, 8), to: 0, by: -1) {
            // Of two runs the later one is the head of the phrase: "fire truck" is a truck.
            for start in stride(from: words.count - length, through: 0, by: -1) {
                let run = words[start..<start + length]
                if length == 1, run.contains(where: Self.functionWords.contains) { continue }
                if let found = find(run, in: byName) ?? find(run, in: byKeyword) { return found }
            }
        }
        return []
    }

    private func find(_ words: ArraySlice<String>, in index: [String: [Int]]) -> [Int]? {
        if let exact = index[words.joined(separator: " ")] { return exact }
        let found = Set(Self.keys(words).flatMap { index[$0] ?? [] })
        return found.isEmpty ? nil : found.sorted()
    }

    /// The concepts whose name or keywords contain the words of `name`.
    func mentioning(_ name: String) -> Set<Int> {
        let name = Wording.words(name)
        return Set(texts.indices.filter { texts[$0].contains { Wording.mentions($0, name) } })
    }

    /// The concepts of the subgroup of the concept `name`, and those whose name shares a word with it.
    func relatives(of name: String) -> Set<Int> {
        let subgroup = index(of: name).map { concepts[$0].subgroup }.flatMap { $0.isEmpty ? nil : $0 }
        let words = Wording.words(name).filter { !Self.functionWords.contains($0) }
        return Set(
            concepts.indices.filter { index in
                concepts[index].subgroup == subgroup || words.contains { Wording.contains(texts[index][0], [$0]) }
            })
    }

    private static let functionWords: Set<String> = [
        "a", "an", "and", "at", "for", "from", "in", "of", "on", "over", "the", "to", "with", "without",
    ]
}
