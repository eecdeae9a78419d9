import Foundation

/// Descriptions by a language model behind an OpenAI-compatible chat endpoint, as in the paper.
///
/// What comes back is checked line by line: a description that lacks the shown class or mentions the
/// forbidden one is dropped and another asked for.
public struct ChatDescriber: Describer {
    /// Requests for one set of descriptions: the first one and three more.
    static let attempts = 4
    /// Lines that are longer are no one-sentence descriptions.
    static let longestLine = 500

    public let model: String
    public let temperature: Double
    private let endpoint: ChatEndpoint

    /// - Parameters:
    ///   - url: the address before `/chat/completions`; https, or http for one of this machine.
    ///   - keyVariable: the name of the environment variable that holds the API key; nil sends none. The
    ///     key is read when it is needed and kept nowhere.
    ///   - timeout: seconds for one answer.
    /// - Throws: ``SearchError/unsupportedURL(_:)``, ``SearchError/insecureURL(_:)``, ``SearchError/settingOutOfRange(name:value:allowed:)``.
    public init(
        url: String, model: String, temperature: Double = 1, keyVariable: String? = nil, timeout: Double = 120
    ) throws {
        try Self.check("temperature", temperature, 0...2)
        try Self.check("timeout", timeout, 0.01...86_400)
        self.model = model
        self.temperature = temperature
        endpoint = try ChatEndpoint(url: url, keyVariable: keyVariable, timeout: timeout)
    }

    private static func check(_ name: String, _ value: Double, _ allowed: ClosedRange<Double>) throws {
        guard allowed.contains(value) else {
            throw SearchError.settingOutOfRange(name: name, value: value, allowed: allowed)
        }
    }

    public var identity: [String: String] {
        ["describer": "chat", "version": "1", "url": endpoint.address, "model": model, "temperature": "\(temperature)"]
    }

    public func descriptions(
        _ request: DescriptionRequest, isCancelled: @Sendable () -> Bool = { false }
    ) throws -> [PictureDescription] {
        let request = try request.checkedForContradiction()
        var accepted: [PictureDescription] = []
        for attempt in 0..<Self.attempts where accepted.count < request.count {
            let question = Self.question(request, wanted: request.count - accepted.count)
            // Endpoints take signed numbers of 32 bits at most places.
            let seed = Int((request.seed &+ UInt64(attempt)) & 0x7FFF_FFFF)
            let reply = try endpoint.reply(
                ChatQuestion(
                    model: model, messages: [.init(role: "user", content: question)], temperature: temperature,
                    seed: seed),
                isCancelled: isCancelled)
            for description in Self.accepted(reply, request) where !accepted.contains(description) {
                accepted.append(description)
            }
        }
        guard accepted.count >= request.count else {
            throw SearchError.tooFewDescriptions(accepted: accepted.count, wanted: request.count)
        }
        return Array(accepted.prefix(max(0, request.count)))
    }

    static func question(_ request: DescriptionRequest, wanted: Int) -> String {
        """
        Write \(wanted) different descriptions of pictures, one sentence each, one on a line, without \
        numbers and without anything before or after them. Every picture clearly shows \
        \(Wording.withArticle(request.shown)), and its description contains the words "\(request.shown)". Every \
        description also uses about \(request.phrasesEach) of these phrases, all of them about equally often \
        over all descriptions: \(request.usablePhrases.map { "\"\($0)\"" }.joined(separator: ", ")). No \
        description mentions "\(request.forbidden)", and no picture shows one.
        """
    }

    /// The valid lines of a reply.
    static func accepted(_ reply: String, _ request: DescriptionRequest) -> [PictureDescription] {
        reply.split(whereSeparator: \.isNewline).compactMap { line in
            let text = bare(line)
            guard text.count <= longestLine, Wording.contains(text, request.shown),
                !Wording.mentions(text, request.forbidden)
            else { return nil }
            return PictureDescription(text: text, phrases: request.usablePhrases.filter { Wording.contains(text, $0) })
        }
    }

    /// A line without number, bullet and quotation marks around it.
    private static func bare(_ line: Substring) -> String {
        let marks = CharacterSet.whitespaces.union(CharacterSet(charactersIn: "\"“”*_`"))
        let start =
            line.prefixMatch(of: /\s*(?:[-*•–—]\s+|\(?[0-9]{1,4}[.):]\)?\s*)?/)?.range.upperBound ?? line.startIndex
        return line[start...].trimmingCharacters(in: marks)
    }
}
