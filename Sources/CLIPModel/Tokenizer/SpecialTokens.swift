/// The tokens that begin and end a text, and what happens where a text contains them.
///
/// A text is cut there in the Hugging Face dialect only. As in `transformers`, a literal `<|endoftext|>` in a text, in lower case, is the end token
/// itself: texts are cut there before anything else is done to them, and each part is normalized
/// for itself. (A folder whose `tokenizer_config.json` calls a special token `normalized` has
/// `transformers` look for it after lower-casing; that file is not read here.)
struct SpecialTokens: Sendable {
    var dialect = TokenizerDialect.huggingFace
    /// The id of `<|startoftext|>`.
    var start: Int
    /// The id of `<|endoftext|>`.
    var end: Int

    enum Part: Equatable {
        case text(Substring)
        case token(Int)
    }

    /// The text, cut at the special tokens that stand in it.
    func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var textStart = text.startIndex
        var rest = text.utf8[...]
        while let bracket = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[bracket...]
            guard let (literal, id) = literal(at: rest) else {
                rest = rest.dropFirst()
                continue
            }
            parts.append(.text(text[textStart..<bracket]))
            parts.append(.token(id))
            rest = rest.dropFirst(literal.utf8.count)
            textStart = rest.startIndex
        }
        parts.append(.text(text[textStart...]))
        return parts
    }

    private func literal(at text: Substring.UTF8View) -> (String, Int)? {
        [(dialect.startLiteral, start), (dialect.endLiteral, end)].first { text.starts(with: $0.0.utf8) }
    }
}
