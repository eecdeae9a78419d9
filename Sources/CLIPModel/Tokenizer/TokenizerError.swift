/// Why a tokenizer could not be made from a model folder or a file of merges.
///
/// Lines count from 1. Tokens are shown as they stand in the file, that is in the
/// byte alphabet of ``ByteAlphabet`` and with `</w>` at the end of a word.
public enum TokenizerError: Error, Equatable, Sendable {
    /// There is no file at this path.
    case missingFile(path: String)
    /// The file is there, but could not be read.
    case unreadableFile(path: String, reason: String)
    /// The file is longer than any tokenizer's; it was not read.
    case fileTooLarge(path: String, limitInBytes: Int)
    /// The file is not UTF-8.
    case notUTF8(path: String)

    /// `vocab.json` is not one flat JSON object: at this line, something else was expected.
    case malformedVocabulary(path: String, line: Int, expected: String)
    /// A token's value is not an integer.
    case tokenIDNotInteger(path: String, line: Int, token: String)
    /// A token's id is negative or has no row in the model's token embedding.
    case tokenIDOutOfRange(path: String, line: Int, token: String, id: Int, vocabularySize: Int)
    /// A token is listed twice.
    case duplicateToken(path: String, line: Int, token: String)
    /// Two tokens have one id.
    case duplicateTokenID(path: String, line: Int, token: String, id: Int)
    /// The vocabulary lacks `<|startoftext|>` or `<|endoftext|>`.
    case missingSpecialToken(path: String, token: String)

    /// A line of `merges.txt` is not two symbols with one space between them.
    case malformedMerge(path: String, line: Int, parts: Int)
    /// A merge names a symbol, or makes one, that the vocabulary does not have.
    case mergeSymbolNotInVocabulary(path: String, line: Int, symbol: String)
    /// A pair of symbols is merged twice.
    case duplicateMerge(path: String, line: Int, left: String, right: String)

    /// The compressed file ends too early.
    case truncatedGzip(path: String)
    /// The compressed file is not as gzip made it.
    case damagedGzip(path: String)
    /// The file has fewer merges than the vocabulary has tokens beyond bytes and special tokens.
    case tooFewMerges(path: String, found: Int, expected: Int)
    /// The model's token embedding has fewer rows than there are bytes and special tokens.
    case vocabularyTooSmall(size: Int, smallest: Int)

    /// The context has no room for the start and the end token.
    case contextTooShort(length: Int)
    /// The model pools its text embedding at a token that is not the one the tokenizer ends texts with.
    case endTokenDisagrees(path: String, tokenizer: Int, model: Int)
}
