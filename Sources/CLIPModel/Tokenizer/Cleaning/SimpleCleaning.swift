/// What openai/CLIP and open_clip do to a text before they cut it into words.
///
/// ftfy's mends, HTML's references twice, lower case. The reference then collapses whitespace; that only parts
/// words, and ``WordScanner`` takes one sort, and one amount, for as good as another.
///
/// Source: `basic_clean`, `whitespace_clean` and `encode` in openai/CLIP `clip/simple_tokenizer.py`.
enum SimpleCleaning {
    static func clean(_ text: String, into scalars: inout [Unicode.Scalar]) {
        if TextMending.isSound(text) {
            for byte in text.utf8 {
                let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                scalars.append(Unicode.Scalar(isCapital ? byte | 0x20 : byte))
            }
            return
        }
        let mended = TextMending.mend(Array(text.unicodeScalars))
        let cleaned = HTMLReferences.unescape(HTMLReferences.unescape(mended))
        lowercase(cleaned, into: &scalars)
    }

    private static let capitalSigma: Unicode.Scalar = "\u{3A3}"

    /// Lower case as Python's `str.lower` has it: each scalar's full mapping, and at the end of a word `ς` for `Σ`.
    static func lowercase(_ text: [Unicode.Scalar], into scalars: inout [Unicode.Scalar]) {
        for (position, scalar) in text.enumerated() {
            if scalar == capitalSigma {
                scalars.append(isFinal(position, in: text) ? "\u{3C2}" : "\u{3C3}")
            } else if scalar.isASCII {
                scalars.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(ascii: scalar) | 0x20) : scalar)
            } else {
                scalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            }
        }
    }

    /// Whether a cased letter goes before and none follows, scalars that case ignores not counted.
    ///
    /// Source: the Unicode Standard, §3.13, table 3-17, Final_Sigma.
    private static func isFinal(_ position: Int, in text: [Unicode.Scalar]) -> Bool {
        func isCased(_ neighbours: some Sequence<Unicode.Scalar>) -> Bool {
            neighbours.first { !$0.properties.isCaseIgnorable }?.properties.isCased ?? false
        }
        return isCased(text[..<position].reversed()) && !isCased(text[(position + 1)...])
    }
}
