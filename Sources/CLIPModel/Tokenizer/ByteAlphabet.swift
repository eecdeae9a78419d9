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
