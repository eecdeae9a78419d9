import Foundation

/// Brings text into the form in which CLIP's vocabulary was made: composed and lower case.
///
/// Equal, scalar for scalar, to the normalizer of `transformers`' CLIPTokenizer, that is
/// `[NFC(), Replace("\s+", " "), Lowercase()]`, but for whitespace: that only parts words, and
/// ``WordScanner`` takes one sort for as good as another.
///
/// - Lower case is each scalar's own full mapping: `İ` becomes `i` and a dot above, `Σ` becomes
///   `σ` at the end of a word too, `ß` stays, and what has been lowered is not composed again.
/// - Nothing else is done: no HTML entity, no curly quote, no compatibility character is
///   replaced. (openai/CLIP's own tokenizer runs ftfy and `html.unescape` first; `transformers`
///   does not.)
enum TextNormalizer {
    /// The version of Unicode by which the `tokenizers` library composes (its crate
    /// `unicode-normalization-alignments`). Scalars that came later are to it unassigned: they
    /// compose with nothing and stay where they are.
    private static let knownVersion = (major: 9, minor: 0)

    /// Below this, every scalar stands in composed text as it is, whatever is beside it
    /// (NFC_Quick_Check = Yes).
    private static let firstThatMayCompose: UInt32 = 0x300

    /// Appends the scalars of normalized `text` to `scalars`.
    static func normalize(_ text: Substring, into scalars: inout [Unicode.Scalar]) {
        if text.unicodeScalars.allSatisfy({ $0.value < firstThatMayCompose }) {
            appendLowercase(text.unicodeScalars, to: &scalars)
            return
        }
        var run = String.UnicodeScalarView()
        func compose(into scalars: inout [Unicode.Scalar]) {
            let composed = String(run).precomposedStringWithCanonicalMapping
            appendLowercase(composed.unicodeScalars, to: &scalars)
            run.removeAll(keepingCapacity: true)
        }
        for scalar in text.unicodeScalars {
            if let age = scalar.properties.age, age <= knownVersion {
                run.append(scalar)
            } else {
                // A scalar that nothing composes with or moves across parts two texts, each of
                // which is composed for itself.
                compose(into: &scalars)
                appendLowercase(CollectionOfOne(scalar), to: &scalars)
            }
        }
        compose(into: &scalars)
    }

    private static func appendLowercase(
        _ text: some Sequence<Unicode.Scalar>, to scalars: inout [Unicode.Scalar]
    ) {
        for scalar in text {
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
