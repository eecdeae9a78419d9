import Foundations

/// Descriptions by rule: a template over the shown class and a seeded choice of phrases.
///
/// Phrases are dealt like cards, so that all are used equally often up to one; a new round begins when
/// fewer are left than a description takes.
public struct TemplateDescriber: Describer {
    /// `{shown}` stands for the class and `{phrases}` for the list of phrases, both with their articles.
    static let templates = [
        "a picture of {shown} next to {phrases}", "a photo of {shown} with {phrases}",
        "a scene with {shown} beside {phrases}", "{shown} and, near it, {phrases}",
    ]
    /// For descriptions of no phrases.
    static let bareTemplate = "a picture of {shown}"

    public init() {}

    public var identity: [String: String] { ["describer": "templates", "version": "1"] }

    /// - Throws: ``SearchError/contradictoryRequest(shown:forbidden:)``, and
    ///   ``SearchError/tooFewDescriptions(accepted:wanted:)`` when no phrase is left without the forbidden class.
    public func descriptions(
        _ request: DescriptionRequest, isCancelled: @Sendable () -> Bool = { false }
    ) throws -> [PictureDescription] {
        let request = try request.checkedForContradiction()
        guard request.count > 0 else { return [] }
        let phrases = request.usablePhrases
        guard !phrases.isEmpty || request.phrasesEach <= 0 else {
            throw SearchError.tooFewDescriptions(accepted: 0, wanted: request.count)
        }
        var random = SplitMix64(seed: request.seed, label: "descriptions of \(request.shown)", index: 0)
        var deck = Deck(count: phrases.count)
        return (0..<request.count).map { _ in
            let chosen = deck.deal(request.phrasesEach, &random).map { phrases[$0] }
            let template = chosen.isEmpty ? Self.bareTemplate : Self.templates[random.below(Self.templates.count)]
            let text =
                template
                .replacing("{phrases}", with: Wording.list(chosen.map(Wording.withArticle)), maxReplacements: 1)
                .replacing("{shown}", with: Wording.withArticle(request.shown), maxReplacements: 1)
            return PictureDescription(text: text, phrases: chosen)
        }
    }

    /// Numbers 0 ..< count in random rounds.
    private struct Deck {
        let count: Int
        private var left: [Int] = []

        init(count: Int) { self.count = count }

        /// Different numbers; fewer than wanted only when there are not so many.
        mutating func deal(_ wanted: Int, _ random: inout SplitMix64) -> [Int] {
            let wanted = max(0, min(wanted, count))
            guard left.count < wanted else { return take(wanted) }
            // The rest of this round first; none of it may come a second time from the next.
            let rest = take(left.count)
            left = random.permutation(count)
            let others = left.filter { !rest.contains($0) }.prefix(wanted - rest.count)
            left.removeAll(where: others.contains)
            return rest + others
        }

        private mutating func take(_ number: Int) -> [Int] {
            let taken = Array(left.prefix(number))
            left.removeFirst(number)
            return taken
        }
    }
}

/// What a description of a picture must contain and must not.
public struct DescriptionRequest: Sendable {
    /// The class that the picture shows, c₁.
    public var shown: String
    /// The class that a classifier shall see there and that must not be mentioned, c₂.
    public var forbidden: String
    /// The phrases that the search found; each description uses some of them.
    public var phrases: [String]
    /// Number of descriptions.
    public var count: Int
    /// Phrases in one description.
    public var phrasesEach: Int
    public var seed: UInt64

    public init(shown: String, forbidden: String, phrases: [String], count: Int, phrasesEach: Int, seed: UInt64) {
        self.shown = shown
        self.forbidden = forbidden
        self.phrases = phrases
        self.count = count
        self.phrasesEach = phrasesEach
        self.seed = seed
    }

    /// The different phrases that do not mention the forbidden class, in order.
    public var usablePhrases: [String] {
        var seen: Set<String> = []
        return phrases.filter {
            !Wording.words($0).isEmpty && !Wording.mentions($0, forbidden) && seen.insert($0).inserted
        }
    }

    /// Whether a text names a class, in singular or plural, whatever the case.
    public static func mentions(_ text: String, _ name: String) -> Bool { Wording.mentions(text, name) }

    /// - Throws: ``SearchError/contradictoryRequest(shown:forbidden:)``.
    func checkedForContradiction() throws -> DescriptionRequest {
        guard !Wording.mentions(shown, forbidden) else {
            throw SearchError.contradictoryRequest(shown: shown, forbidden: forbidden)
        }
        return self
    }
}

/// One sentence that a picture is to be made from.
public struct PictureDescription: Codable, Sendable, Hashable {
    public var text: String
    /// The phrases of the request that the text uses.
    public var phrases: [String]

    public init(text: String, phrases: [String]) {
        self.text = text
        self.phrases = phrases
    }
}

/// Makes descriptions: the place of the language model in the paper's pipeline (arXiv 2406.04341, section 5.1).
public protocol Describer: Sendable {
    /// Everything that decides its texts, for the key of a step.
    var identity: [String: String] { get }

    /// As many descriptions as asked for, each of which mentions the shown class and not the forbidden one.
    /// - Parameter isCancelled: asked now and then while an answer is waited for.
    /// - Throws: ``SearchError``, ``SearchError/cancelled`` among them.
    func descriptions(_ request: DescriptionRequest, isCancelled: @Sendable () -> Bool) throws -> [PictureDescription]
}

/// English words in texts, without regard to case and to the number of the last word.
enum Wording {
    /// The words of a text in lower case: runs of letters and digits.
    static func words(_ text: some StringProtocol) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// Whether `text` contains the words of `phrase` one after the other, the last one in singular or plural.
    static func contains(_ text: some StringProtocol, _ phrase: some StringProtocol) -> Bool {
        contains(words(text), words(phrase))
    }

    static func contains(_ text: [String], _ phrase: [String]) -> Bool {
        guard let last = phrase.last, text.count >= phrase.count else { return false }
        let forms = forms(of: last)
        return (phrase.count - 1..<text.count).contains { end in
            isForm(text[end], of: last, forms) && text[(end - phrase.count + 1)..<end].elementsEqual(phrase.dropLast())
        }
    }

    /// As ``contains(_:_:)``, and also when the text writes the phrase as one word, such as "firetruck".
    static func mentions(_ text: some StringProtocol, _ phrase: some StringProtocol) -> Bool {
        mentions(words(text), words(phrase))
    }

    static func mentions(_ text: [String], _ phrase: [String]) -> Bool {
        contains(text, phrase) || contains(text, [phrase.joined()])
    }

    private static func isForm(_ word: String, of other: String, _ forms: Set<String>) -> Bool {
        // No plural begins with another letter than its singular.
        word.utf8.first == other.utf8.first && (forms.contains(word) || self.forms(of: word).contains(other))
    }

    /// The word and what its plural may be.
    static func forms(of word: String) -> Set<String> {
        var forms: Set<String> = [word, word + "s"]
        if ["s", "x", "z", "ch", "sh", "o"].contains(where: word.hasSuffix) { forms.insert(word + "es") }
        if word.hasSuffix("y") { forms.insert(word.dropLast() + "ies") }
        if word.hasSuffix("f") { forms.insert(word.dropLast() + "ves") }
        if word.hasSuffix("fe") { forms.insert(word.dropLast(2) + "ves") }
        if word.hasSuffix("man") { forms.insert(word.dropLast(2) + "en") }
        if let irregular = irregularPlurals[word] { forms.insert(irregular) }
        return forms
    }

    private static let irregularPlurals = [
        "child": "children", "foot": "feet", "goose": "geese", "louse": "lice", "mouse": "mice", "ox": "oxen",
        "person": "people", "tooth": "teeth", "cactus": "cacti",
    ]

    /// The phrase with its indefinite article, unless it has an article already.
    static func withArticle(_ phrase: String) -> String {
        let first = words(phrase).first ?? ""
        guard !["a", "an", "the"].contains(first) else { return phrase }
        return (first.first.map { "aeiou".contains($0) } == true ? "an " : "a ") + phrase
    }

    /// "a, b and c".
    static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }
}
