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
