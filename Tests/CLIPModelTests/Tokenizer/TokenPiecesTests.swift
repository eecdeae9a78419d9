import CLIPModel
import Foundation
import Testing

/// What tokens spell, on the vocabulary that comes with the clone.
@Suite struct TokenPiecesTests {
    private func tokenizer() throws -> Tokenizer {
        try Tokenizer(bpeFile: OpenAIVocabulary.file, dialect: .openAI)
    }

    @Test func piecesOfKnownWords() throws {
        let tokenizer = try tokenizer()
        #expect(
            tokenizer.pieces(of: tokenizer.encode("A photo of a dog")) == [
                "<|startoftext|>", "a", "photo", "of", "a", "dog", "<|endoftext|>",
            ])
        #expect(tokenizer.pieces(of: []) == [])
    }

    /// Together the pieces are the text, in lower case and without its spaces.
    @Test(arguments: [
        "an antidisestablishmentarianist", "naïve café, 100 %", "日本語の文", "emoji 🚢 here", "don't stop!!", "x", "ﬁ Ⅷ",
    ]) func piecesSpellTheText(text: String) throws {
        let tokenizer = try tokenizer()
        // Bytes of one character may stand in two pieces, so that pieces are joined token by token only where they are whole.
        let joined = tokenizer.pieces(of: tokenizer.tokens(in: text)).joined()
        guard !joined.contains("\u{FFFD}") else { return }
        #expect(joined == text.lowercased().filter { !$0.isWhitespace })
    }
}
