import Foundation

/// CLIP's tokenizer: text to the ids that the text tower embeds.
///
/// Byte-level byte-pair encoding over the words of lower-cased text, read from the `vocab.json`
/// and `merges.txt` of a Hugging Face model folder. The ids are those of `transformers`'
/// `CLIPTokenizer.from_pretrained(folder)` for a folder with these two files, string for string;
/// ``TextNormalizer``, ``WordScanner``, ``WordEncoder`` and ``SpecialTokens`` say what is done.
///
///     let tokenizer = try Tokenizer(folder: folder, configuration: configuration.text)
///     tokenizer.encode("a photo of a cat")        // [49406, 320, 1125, 539, 320, 2368, 49407]
///
/// A tokenizer does not change once it is made, and may be used from any number of threads.
///
/// Source: Radford et al. 2021, §2.4; openai/CLIP `clip/simple_tokenizer.py`.
public struct Tokenizer: Sendable {
    /// The most tokens a text may have, its start and end token included: the rows of the text
    /// tower's position embedding.
    public let contextLength: Int

    private let specialTokens: SpecialTokens
    private let symbols: WordEncoder.ByteSymbols
    private let merges: MergeTable

    /// The id of `<|startoftext|>`, with which every text begins.
    public var startToken: Int { specialTokens.start }

    /// The id of `<|endoftext|>`, with which every text ends. It also fills up padded texts, and
    /// stands for a byte that a small vocabulary has no symbol for.
    public var endToken: Int { specialTokens.end }

    /// Reads the tokenizer of a model.
    ///
    /// - Parameters:
    ///   - folder: has `vocab.json` and `merges.txt`.
    ///   - configuration: the text tower the ids are for.
    /// - Throws: what the other initializer throws; ``TokenizerError/endTokenDisagrees`` where
    ///   the tower would not find the end of a text, and pool at the wrong token without a word.
    public init(folder: URL, configuration: TextConfiguration) throws(TokenizerError) {
        let vocabularyFile = folder.appendingPathComponent("vocab.json")
        let vocabulary = try Vocabulary(
            contentsOf: vocabularyFile, size: configuration.vocabularySize)
        try self.init(
            vocabulary: vocabulary, folder: folder, contextLength: configuration.contextLength)

        let pooled: Int
        switch configuration.pooling {
        case .firstOccurrence(let token): pooled = token
        case .highestToken: pooled = vocabulary.highestID
        }
        guard pooled == endToken else {
            throw .endTokenDisagrees(
                path: vocabularyFile.path, tokenizer: endToken, model: pooled)
        }
    }

    /// Reads a tokenizer by itself.
    ///
    /// - Parameters:
    ///   - folder: has `vocab.json` and `merges.txt`.
    ///   - contextLength: at least 2.
    ///   - vocabularySize: rows of the token embedding; no id may be as high.
    /// - Throws: ``TokenizerError`` with path, and line where there is one.
    public init(
        folder: URL, contextLength: Int, vocabularySize: Int
    ) throws(TokenizerError) {
        let vocabulary = try Vocabulary(
            contentsOf: folder.appendingPathComponent("vocab.json"), size: vocabularySize)
        try self.init(vocabulary: vocabulary, folder: folder, contextLength: contextLength)
    }

    private init(
        vocabulary: Vocabulary, folder: URL, contextLength: Int
    ) throws(TokenizerError) {
        guard contextLength >= 2 else { throw .contextTooShort(length: contextLength) }
        self.contextLength = contextLength
        let end = try vocabulary.specialToken(SpecialTokens.endLiteral)
        specialTokens = SpecialTokens(
            start: try vocabulary.specialToken(SpecialTokens.startLiteral), end: end)
        symbols = WordEncoder.ByteSymbols(
            inside: vocabulary.byteSymbols(suffix: "", unknown: end),
            atEnd: vocabulary.byteSymbols(suffix: ByteAlphabet.endOfWord, unknown: end))
        merges = try MergeTable(
            contentsOf: folder.appendingPathComponent("merges.txt"), vocabulary: vocabulary)
    }

    // MARK: - Encoding

    /// The ids of a text: the start token, its own, the end token.
    ///
    /// A text too long for the context loses its last tokens, but not the end token.
    public func encode(_ text: String) -> [Int] {
        encode([text])[0]
    }

    /// The ids of each of many texts, faster than one by one: a word is encoded once.
    public func encode(_ texts: [String]) -> [[Int]] {
        var encoder = WordEncoder(symbols: symbols, merges: merges)
        return texts.map { text in
            let tokens = self.tokens(in: text, encoder: &encoder)
            return [startToken] + tokens.prefix(contextLength - 2) + [endToken]
        }
    }

    /// The ids of an encoded text, filled up with end tokens to the context length, for a model
    /// that takes texts of one length only.
    ///
    /// The text tower attends backwards only and pools at the first end token, so that the
    /// padding does not change an embedding.
    public func padded(_ tokens: [Int]) -> [Int] {
        tokens + Array(repeating: endToken, count: max(0, contextLength - tokens.count))
    }

    /// The ids of a text alone: without start and end token, and however long it is.
    public func tokens(in text: String) -> [Int] {
        var encoder = WordEncoder(symbols: symbols, merges: merges)
        return tokens(in: text, encoder: &encoder)
    }

    private func tokens(in text: String, encoder: inout WordEncoder) -> [Int] {
        var tokens: [Int] = []
        var scalars: [Unicode.Scalar] = []
        var word = ByteString([])
        for part in specialTokens.parts(of: text) {
            switch part {
            case .token(let id):
                tokens.append(id)
            case .text(let text):
                scalars.removeAll(keepingCapacity: true)
                TextNormalizer.normalize(text, into: &scalars)
                var words = WordScanner(scalars)
                while let range = words.next() {
                    word.bytes.removeAll(keepingCapacity: true)
                    for scalar in scalars[range] { word.bytes.append(contentsOf: scalar.utf8) }
                    tokens.append(contentsOf: encoder.encode(word))
                }
            }
        }
        return tokens
    }
}
