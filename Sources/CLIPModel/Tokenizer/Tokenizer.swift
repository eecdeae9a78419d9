import Foundation

/// CLIP's tokenizer: text to the ids that the text tower embeds.
///
/// Byte-level byte-pair encoding over the words of lower-cased text, read from
///
/// - the `vocab.json` and `merges.txt` of a Hugging Face model folder: the ids are those of `transformers`'
///   `CLIPTokenizer.from_pretrained(folder)` for a folder with these two files, string for string;
/// - OpenAI's `bpe_simple_vocab_16e6.txt.gz`, for models that come without a vocabulary, such as OpenAI's and
///   OpenCLIP's own: the ids are those of their `SimpleTokenizer`, but for texts whose mojibake ftfy repairs.
///
/// ``TokenizerDialect`` has the differences; ``TextNormalizer``, ``SimpleCleaning``, ``WordScanner``,
/// ``WordEncoder`` and ``SpecialTokens`` say what is done.
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

    /// The reference whose ids these are.
    public let dialect: TokenizerDialect

    private let specialTokens: SpecialTokens
    let symbols: WordEncoder.ByteSymbols
    let merges: MergeTable

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
        try check(configuration.pooling, highestToken: vocabulary.highestID, path: vocabularyFile.path)
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
        dialect = .huggingFace
        let end = try vocabulary.specialToken(dialect.endLiteral)
        specialTokens = SpecialTokens(start: try vocabulary.specialToken(dialect.startLiteral), end: end)
        symbols = vocabulary.byteSymbols(unknown: end)
        merges = try MergeTable(
            contentsOf: folder.appendingPathComponent("merges.txt"), vocabulary: vocabulary)
    }

    /// Reads the tokenizer of a model that comes without a vocabulary.
    ///
    /// - Parameters:
    ///   - bpeFile: see the other initializer.
    ///   - dialect: after the format of the model.
    ///   - configuration: the text tower the ids are for.
    /// - Throws: what the other initializer throws; ``TokenizerError/endTokenDisagrees``.
    public init(
        bpeFile: URL, dialect: TokenizerDialect, configuration: TextConfiguration
    ) throws(TokenizerError) {
        try self.init(
            bpeFile: bpeFile, dialect: dialect, contextLength: configuration.contextLength,
            vocabularySize: configuration.vocabularySize)
        try check(
            configuration.pooling, highestToken: configuration.vocabularySize - 1, path: bpeFile.path)
    }

    /// Reads a tokenizer from OpenAI's file of merges, `bpe_simple_vocab_16e6.txt.gz`.
    ///
    /// The ids are, in this order, of the 256 bytes, of the 256 bytes at the end of a word, of what as many of
    /// the file's merges make as the vocabulary has room for, of the start and of the end token.
    ///
    /// - Parameters:
    ///   - bpeFile: one line that is skipped, then a merge a line; compressed with gzip or not.
    ///   - dialect: which reference's cleaning of texts and special tokens.
    ///   - contextLength: at least 2.
    ///   - vocabularySize: rows of the token embedding; at least 514. CLIP's is 49408, of 48894 merges.
    /// - Throws: ``TokenizerError`` with path, and line where there is one.
    public init(
        bpeFile: URL, dialect: TokenizerDialect, contextLength: Int = 77, vocabularySize: Int = 49408
    ) throws(TokenizerError) {
        guard contextLength >= 2 else { throw .contextTooShort(length: contextLength) }
        let tokensWithoutMerge = 2 * ByteAlphabet.spellings.count + 2
        guard vocabularySize >= tokensWithoutMerge else {
            throw .vocabularyTooSmall(size: vocabularySize, smallest: tokensWithoutMerge)
        }
        let count = vocabularySize - tokensWithoutMerge
        let content = MergeLine.lines(of: try TokenizerFile.decompressedBytes(at: bpeFile)).dropFirst()
        guard content.count >= count else {
            throw .tooFewMerges(path: bpeFile.path, found: content.count, expected: count)
        }
        var lines: [MergeLine] = []
        for (index, line) in content.prefix(count).enumerated() {
            lines.append(try MergeLine(line, number: index + 2, path: bpeFile.path))
        }
        let vocabulary = try Vocabulary(merging: lines, path: bpeFile.path)
        self.contextLength = contextLength
        self.dialect = dialect
        specialTokens = SpecialTokens(dialect: dialect, start: vocabularySize - 2, end: vocabularySize - 1)
        symbols = vocabulary.byteSymbols(unknown: vocabularySize - 1)
        merges = try MergeTable(lines, path: bpeFile.path, vocabulary: vocabulary)
    }

    private func check(_ pooling: TextPooling, highestToken: Int, path: String) throws(TokenizerError) {
        let pooled: Int
        switch pooling {
        case .firstOccurrence(let token): pooled = token
        case .highestToken: pooled = highestToken
        }
        guard pooled == endToken else {
            throw .endTokenDisagrees(path: path, tokenizer: endToken, model: pooled)
        }
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
        var encoder = makeEncoder()
        return texts.map { text in
            let tokens = self.tokens(in: text, encoder: &encoder)
            return [startToken] + tokens.prefix(contextLength - 2) + [endToken]
        }
    }

    /// The ids of an encoded text, filled up to the context length as the reference does, for a model
    /// that takes texts of one length only.
    ///
    /// The text tower attends backwards only and pools at the first end token, so that the
    /// padding does not change an embedding.
    public func padded(_ tokens: [Int]) -> [Int] {
        let padding = dialect == .huggingFace ? endToken : 0
        return tokens + Array(repeating: padding, count: max(0, contextLength - tokens.count))
    }

    /// The ids of a text alone: without start and end token, and however long it is.
    public func tokens(in text: String) -> [Int] {
        var encoder = makeEncoder()
        return tokens(in: text, encoder: &encoder)
    }

    private func makeEncoder() -> WordEncoder {
        // In the Hugging Face dialect a special token does not get as far as the words.
        let literals = [
            ByteString(dialect.startLiteral.utf8): startToken, ByteString(dialect.endLiteral.utf8): endToken,
        ]
        return WordEncoder(symbols: symbols, merges: merges, whole: dialect == .huggingFace ? [:] : literals)
    }

    private func tokens(in text: String, encoder: inout WordEncoder) -> [Int] {
        var tokens: [Int] = []
        var scalars: [Unicode.Scalar] = []
        guard dialect == .huggingFace else {
            SimpleCleaning.clean(text, into: &scalars)
            append(scalars, to: &tokens, encoder: &encoder)
            return tokens
        }
        for part in specialTokens.parts(of: text) {
            switch part {
            case .token(let id):
                tokens.append(id)
            case .text(let text):
                scalars.removeAll(keepingCapacity: true)
                TextNormalizer.normalize(text, into: &scalars)
                append(scalars, to: &tokens, encoder: &encoder)
            }
        }
        return tokens
    }

    private func append(_ scalars: [Unicode.Scalar], to tokens: inout [Int], encoder: inout WordEncoder) {
        var word = ByteString([])
        var words = WordScanner(scalars, dialect: dialect)
        while let range = words.next() {
            word.bytes.removeAll(keepingCapacity: true)
            for scalar in scalars[range] {
                if scalar.isASCII {
                    word.bytes.append(UInt8(scalar.value))
                } else {
                    word.bytes.append(contentsOf: scalar.utf8)
                }
            }
            tokens.append(contentsOf: encoder.encode(word))
        }
    }
}

extension Tokenizer {
    /// What each token of an encoded text spells; a piece that is not whole characters has replacement characters.
    /// Start and end token spell their literals.
    public func pieces(of tokens: [Int]) -> [String] {
        let (bytes, parts) = (symbols.bytes, merges.parts)
        func spelling(_ token: Int) -> [UInt8] {
            // A merged token is longer than its parts, so that this ends.
            if let pair = parts[token] { return spelling(pair.left) + spelling(pair.right) }
            return bytes[token].map { [$0] } ?? []
        }
        return tokens.map { token in
            switch token {
            case startToken: dialect.startLiteral
            case endToken: dialect.endLiteral
            default: String(decoding: spelling(token), as: UTF8.self)
            }
        }
    }
}

extension WordEncoder.ByteSymbols {
    /// The byte of each one-byte symbol, within a word or at its end.
    fileprivate var bytes: [Int: UInt8] {
        var bytes: [Int: UInt8] = [:]
        for (byte, ids) in zip(inside, atEnd).enumerated() {
            bytes[ids.0] = UInt8(byte)
            bytes[ids.1] = UInt8(byte)
        }
        return bytes
    }
}
