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
        "an antidisestablishmentarianist", "naïve café, 100 %", "a 🐶 here", "don't stop!!", "x",
    ]) func piecesSpellTheText(text: String) throws {
        let tokenizer = try tokenizer()
        let joined = tokenizer.pieces(of: tokenizer.tokens(in: text)).joined()
        #expect(joined == text.lowercased().filter { !$0.isWhitespace })
    }

    /// The bytes of a character may stand in two tokens.
    @Test func aDividedCharacterIsInNoPiece() throws {
        let tokenizer = try tokenizer()
        #expect(
            tokenizer.pieces(of: tokenizer.tokens(in: "emoji 🚢 here")) == ["emoji", "\u{FFFD}", "\u{FFFD}", "here"])
    }
}
