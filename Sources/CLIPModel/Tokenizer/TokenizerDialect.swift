/// Which reference implementation a tokenizer gives the ids of.
///
/// The vocabulary is the same; what is done to a text before differs. A model's format decides: its
/// authors trained or published it with that tokenizer.
///
/// | | Hugging Face | OpenAI, OpenCLIP |
/// |---|---|---|
/// | cleaning | NFC | ftfy's mends (``TextMending``), then HTML's references twice (``HTMLReferences``) |
/// | lower case | scalar by scalar | Python's, with the final sigma |
/// | special tokens | cut out first, in lower case only | words of the expression, in any case |
/// | their literals | `<\|startoftext\|>` | OpenAI: the same; OpenCLIP: `<start_of_text>` |
/// | padding | end token | 0 |
/// | Unicode | of the `tokenizers` library (9 and 16) | of the Swift runtime (Python's and `regex`'s vary) |
///
/// A text too long loses its last tokens in all three, but not the end token (in `clip.tokenize` where
/// `truncate` is true; else that function raises an error).
public enum TokenizerDialect: String, Sendable, CaseIterable {
    /// `CLIPTokenizer` of `transformers`.
    case huggingFace = "hugging-face"
    /// `clip.tokenize` of openai/CLIP; compared with version 1.0.1.
    case openAI = "openai"
    /// `SimpleTokenizer` of mlfoundations/open_clip; compared with version 3.3.
    case openCLIP = "openclip"

    var startLiteral: String { self == .openCLIP ? "<start_of_text>" : "<|startoftext|>" }
    var endLiteral: String { self == .openCLIP ? "<end_of_text>" : "<|endoftext|>" }
}

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

/// The tokens that begin and end a text, and what happens where a text contains them.
///
/// A text is cut there in the Hugging Face dialect only. As in `transformers`, a literal `<|endoftext|>` in a text, in lower case, is the end token
/// itself: texts are cut there before anything else is done to them, and each part is normalized
/// for itself. (A folder whose `tokenizer_config.json` calls a special token `normalized` has
/// `transformers` look for it after lower-casing; that file is not read here.)
struct SpecialTokens: Sendable {
    var dialect = TokenizerDialect.huggingFace
    /// The id of `<|startoftext|>`.
    var start: Int
    /// The id of `<|endoftext|>`.
    var end: Int

    enum Part: Equatable {
        case text(Substring)
        case token(Int)
    }

    /// The text, cut at the special tokens that stand in it.
    func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var textStart = text.startIndex
        var rest = text.utf8[...]
        while let bracket = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[bracket...]
            guard let (literal, id) = literal(at: rest) else {
                rest = rest.dropFirst()
                continue
            }
            parts.append(.text(text[textStart..<bracket]))
            parts.append(.token(id))
            rest = rest.dropFirst(literal.utf8.count)
            textStart = rest.startIndex
        }
        parts.append(.text(text[textStart...]))
        return parts
    }

    private func literal(at text: Substring.UTF8View) -> (String, Int)? {
        [(dialect.startLiteral, start), (dialect.endLiteral, end)].first { text.starts(with: $0.0.utf8) }
    }
}
