/// Brings text into the form in which CLIP's vocabulary was made: composed and lower case.
///
/// Equal, scalar for scalar, to the normalizer of `transformers`' CLIPTokenizer, that is
/// `[NFC(), Replace("\s+", " "), Lowercase()]`, but for whitespace: that only parts words, and
/// ``WordScanner`` takes one sort for as good as another.
///
/// - Lower case is each scalar's own full mapping: `İ` becomes `i` and a dot above, `Σ` becomes
///   `σ` at the end of a word too, `ß` stays, and what has been lowered is not composed again.
/// - Nothing else is done: no HTML entity, no curly quote, no compatibility character is
///   replaced. (``SimpleCleaning`` is what openai/CLIP's own tokenizer does.)
enum TextNormalizer {
    /// Appends the scalars of normalized `text` to `scalars`.
    static func normalize(_ text: Substring, into scalars: inout [Unicode.Scalar]) {
        for scalar in CanonicalComposition.ofTokenizersLibrary.compose(text.unicodeScalars) {
            if !scalar.isASCII {
                scalars.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
            } else if ("A"..."Z").contains(scalar) {
                scalars.append(Unicode.Scalar(UInt8(ascii: scalar) | 0x20))
            } else {
                scalars.append(scalar)
            }
        }
    }
}
