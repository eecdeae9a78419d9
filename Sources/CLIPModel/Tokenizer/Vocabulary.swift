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

/// GPT-2's spelling of bytes as visible characters.
///
/// `vocab.json` and `merges.txt` hold tokens, which are byte strings, as text without spaces
/// or control characters: a byte that is a printable Latin-1 character stands for itself, and
/// the others are given the characters from U+0100 on, in order of their value. A space, for
/// instance, is `Ġ` (U+0120).
///
/// Source: `bytes_to_unicode` in openai/CLIP `clip/simple_tokenizer.py`.
enum ByteAlphabet {
    /// The character that spells each byte, indexed by the byte.
    static let spellings: [String] = {
        var replacement: UInt16 = 0x100
        return (UInt8.min...UInt8.max).map { byte in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF:
                return String(Unicode.Scalar(byte))
            default:
                defer { replacement += 1 }
                return String(decoding: [replacement], as: UTF16.self)
            }
        }
    }()

    /// The characters of ``spellings`` in the order of CLIP's vocabulary: those that stand for themselves first.
    static let printableFirst: [String] = spellings.sorted {
        $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
    }

    /// What marks the last symbol of a word.
    static let endOfWord = "</w>"
}

/// Text as its UTF-8, for the keys of dictionaries.
///
/// Strings are equal in Swift when they are canonically equivalent, words and tokens only when they
/// are identical. Unlike an array of bytes, this is also hashed as a whole and not byte by byte.
struct ByteString: Hashable {
    var bytes: [UInt8]

    init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension ByteString: CustomStringConvertible {
    var description: String { String(decoding: bytes, as: UTF8.self) }
}
