import Foundation

/// The tokens of `vocab.json`, or of a file of merges, and their ids.
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

    /// The vocabulary of OpenAI's file of merges: the 256 bytes, the 256 bytes at the end of a word, and what each
    /// merge makes, in this order.
    ///
    /// - Throws: ``TokenizerError/duplicateToken(path:line:token:)`` where two merges make one token.
    init(merging lines: [MergeLine], path: String) throws(TokenizerError) {
        let spellings = ByteAlphabet.printableFirst
        var ids: [ByteString: Int] = [:]
        ids.reserveCapacity(2 * spellings.count + lines.count)
        for spelling in spellings + spellings.map({ $0 + ByteAlphabet.endOfWord }) {
            ids[ByteString(spelling.utf8)] = ids.count
        }
        for line in lines {
            guard ids.updateValue(ids.count, forKey: line.merged) == nil else {
                throw .duplicateToken(path: path, line: line.number, token: line.merged.description)
            }
        }
        self.path = path
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

    /// The ids of the one-byte symbols.
    ///
    /// - Parameter unknown: the id for a byte whose symbol the vocabulary lacks, as it may where it was
    ///   trained on a small corpus.
    func byteSymbols(unknown: Int) -> WordEncoder.ByteSymbols {
        func symbols(suffix: String) -> [Int] {
            ByteAlphabet.spellings.map { ids[ByteString(($0 + suffix).utf8)] ?? unknown }
        }
        return WordEncoder.ByteSymbols(inside: symbols(suffix: ""), atEnd: symbols(suffix: ByteAlphabet.endOfWord))
    }

    /// The highest id of all.
    var highestID: Int { ids.values.max() ?? -1 }
}
