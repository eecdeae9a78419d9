import Foundation

/// The tokens of `vocab.json` and their ids.
///
/// Needed only while a tokenizer is loaded.
struct Vocabulary {
    private let path: String
    /// By the tokens as they are spelled in the file.
    private let ids: [ByteString: Int]

    /// Reads `vocab.json`.
    ///
    /// - Parameter size: rows of the model's token embedding; every id must be below it.
    ///   Ids need not be dense.
    /// - Throws: what is wrong with the file, with its line where there is one.
    init(contentsOf url: URL, size: Int) throws(TokenizerError) {
        let bytes = try TokenizerFile.bytes(at: url)
        var parser = VocabularyParser(bytes: bytes, path: url.path)
        var ids: [ByteString: Int] = [:]
        var used: Set<Int> = []
        while let entry = try parser.next() {
            guard (0..<size).contains(entry.id) else {
                throw .tokenIDOutOfRange(
                    path: url.path, line: entry.line, token: entry.token.description,
                    id: entry.id, vocabularySize: size)
            }
            guard ids.updateValue(entry.id, forKey: entry.token) == nil else {
                throw .duplicateToken(
                    path: url.path, line: entry.line, token: entry.token.description)
            }
            guard used.insert(entry.id).inserted else {
                throw .duplicateTokenID(
                    path: url.path, line: entry.line, token: entry.token.description,
                    id: entry.id)
            }
        }
        self.path = url.path
        self.ids = ids
    }

    /// The id of a token, or nil where the vocabulary does not have it.
    subscript(token: ByteString) -> Int? { ids[token] }

    /// The id of a token that no CLIP vocabulary lacks.
    func specialToken(_ literal: String) throws(TokenizerError) -> Int {
        guard let id = ids[ByteString(literal.utf8)] else {
            throw .missingSpecialToken(path: path, token: literal)
        }
        return id
    }

    /// The ids of the 256 one-byte symbols, indexed by byte.
    ///
    /// - Parameters:
    ///   - suffix: what follows the byte's character: nothing, or the end-of-word mark.
    ///   - unknown: the id for a byte whose symbol the vocabulary lacks, as it may where it was
    ///     trained on a small corpus.
    func byteSymbols(suffix: String, unknown: Int) -> [Int] {
        ByteAlphabet.spellings.map { ids[ByteString(($0 + suffix).utf8)] ?? unknown }
    }

    /// The highest id of all.
    var highestID: Int { ids.values.max() ?? -1 }
}
