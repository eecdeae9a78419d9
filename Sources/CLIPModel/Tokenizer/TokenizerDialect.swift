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
