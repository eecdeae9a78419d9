import CLIPModel
import Foundation
import Testing

/// What holds of any tokenizer, beside the ids themselves.
@Suite struct TokenizerTests {
    private let folder = Fixtures.folder.appendingPathComponent("Tokenizer/regular")

    private func tokenizer(contextLength: Int = 77) throws -> Tokenizer {
        try Tokenizer(folder: folder, contextLength: contextLength, vocabularySize: 2014)
    }

    private func text(
        vocabularySize: Int = 2014, contextLength: Int = 77, pooling: TextPooling
    ) -> TextConfiguration {
        TextConfiguration(
            vocabularySize: vocabularySize, contextLength: contextLength, width: 8, layers: 1,
            heads: 2, mlpWidth: 16, activation: .gelu, layerNormEpsilon: 1e-5, pooling: pooling)
    }

    @Test func truncationKeepsTheEndToken() throws {
        let whole = try tokenizer().encode("a photo of a cat")
        for length in 2...8 {
            let cut = try tokenizer(contextLength: length).encode("a photo of a cat")
            #expect(cut == whole.dropLast().prefix(length - 1) + [whole[whole.count - 1]])
        }
    }

    @Test func tokensOfATextAreNeitherFramedNorTruncated() throws {
        let tokenizer = try tokenizer(contextLength: 4)
        let cat = tokenizer.tokens(in: "cat")
        let many = tokenizer.tokens(in: String(repeating: "cat ", count: 500))
        #expect(many == Array(repeating: cat, count: 500).flatMap { $0 })
        #expect(tokenizer.tokens(in: "").isEmpty)
    }

    @Test func paddingNeverShortens() throws {
        let tokenizer = try tokenizer(contextLength: 3)
        #expect(tokenizer.padded([1, 2, 3, 4]) == [1, 2, 3, 4])
        #expect(tokenizer.padded([1]) == [1, tokenizer.endToken, tokenizer.endToken])
    }

    @Test func theContextHasRoomForStartAndEnd() throws {
        let shortest = try tokenizer(contextLength: 2)
        #expect(shortest.encode("cat") == [shortest.startToken, shortest.endToken])
        for length in [1, 0, -5, Int.min] {
            #expect(throws: TokenizerError.contextTooShort(length: length)) {
                try tokenizer(contextLength: length)
            }
        }
    }

    @Test func configurationAndVocabularyMustAgreeOnTheEndToken() throws {
        let endToken = try tokenizer().endToken
        let made = try Tokenizer(
            folder: folder,
            configuration: text(contextLength: 12, pooling: .firstOccurrence(of: endToken)))
        #expect(made.contextLength == 12)
        #expect(made.endToken == endToken)
        _ = try Tokenizer(folder: folder, configuration: text(pooling: .highestToken))
        #expect(
            throws: TokenizerError.endTokenDisagrees(
                path: folder.appendingPathComponent("vocab.json").path, tokenizer: endToken,
                model: 5)
        ) {
            try Tokenizer(folder: folder, configuration: text(pooling: .firstOccurrence(of: 5)))
        }
    }

    /// A word without spaces must not take quadratic time, which here would be minutes.
    @Test(.timeLimit(.minutes(1))) func veryLongWordsTakeNoLongerThanTheirLength() throws {
        let tokenizer = try tokenizer()
        for unit in ["a", "ab", "photo", "!", "\u{301}", "日"] {
            let ids = tokenizer.encode(String(repeating: unit, count: (1 << 15) / unit.utf8.count))
            #expect(ids.count == 77)
        }
    }

    @Test func oneTokenizerServesManyThreads() async throws {
        let tokenizer = try tokenizer()
        let texts = ["a photo of a cat", "two dogs!", "café", "日本語"]
        let expected = tokenizer.encode(texts)
        await withTaskGroup(of: [[Int]].self) { group in
            for _ in 0..<16 { group.addTask { tokenizer.encode(texts) } }
            for await found in group { #expect(found == expected) }
        }
    }
}
