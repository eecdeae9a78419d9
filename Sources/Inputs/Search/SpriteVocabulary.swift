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
