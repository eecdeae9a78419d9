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
