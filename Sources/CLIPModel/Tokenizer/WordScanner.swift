/// Cuts normalized text into the words that byte-pair encoding does not merge across.
///
/// Stands for the regular expression of CLIP,
///
///     <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
///
/// tried from left to right and, at each place, from the first alternative to the last: a run of
/// letters is a word, a digit is a word of its own, so is an English contraction, and so is a run
/// of anything else that is not whitespace. What matches nothing, whitespace, is left out.
///
/// OpenAI's and OpenCLIP's tokenizers ignore case. In text that is in lower case already that tells only for the
/// long `ſ`, which counts as an `s`, and for one mark (``ScalarClass``).
///
/// Source: openai/CLIP `clip/simple_tokenizer.py`; `transformers` `tokenization_clip.py`.
struct WordScanner: IteratorProtocol {
    private let scalars: [Unicode.Scalar]
    private let dialect: TokenizerDialect
    private var position = 0
    /// Words found and not yet handed over, the next one last.
    private var pending: [Range<Int>] = []

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
        .map { Array($0.unicodeScalars) }

    private static let literals = literals(of: .openAI)
    private static let literalsOfOpenCLIP = literals(of: .openCLIP)
    private let specialLiterals: [[Unicode.Scalar]]

    private static func literals(of dialect: TokenizerDialect) -> [[Unicode.Scalar]] {
        [dialect.startLiteral, dialect.endLiteral].map { Array($0.unicodeScalars) }
    }

    /// - Parameter scalars: text from ``TextNormalizer`` or ``SimpleCleaning``, after the dialect.
    init(_ scalars: [Unicode.Scalar], dialect: TokenizerDialect) {
        self.scalars = scalars
        self.dialect = dialect
        specialLiterals = dialect == .openCLIP ? Self.literalsOfOpenCLIP : Self.literals
    }

    /// The positions of the next word's scalars, or nil at the end.
    mutating func next() -> Range<Int>? {
        if let word = pending.popLast() { return word }
        while position < scalars.count {
            let start = position
            switch ScalarClass(scalars[start], dialect: dialect) {
            case .whitespace:
                position += 1
                continue
            case .number:
                position += 1
            case .letter:
                skipRun(of: .letter)
            case .other:
                if let parts = specialLiteral() {
                    pending = parts.reversed()
                    position = pending[0].upperBound
                    return pending.removeLast()
                }
                if let length = contraction() {
                    position += length
                } else {
                    skipRun(of: .other)
                }
            }
            return start..<position
        }
        return nil
    }

    private mutating func skipRun(of scalarClass: ScalarClass) {
        repeat {
            position += 1
        } while position < scalars.count && ScalarClass(scalars[position], dialect: dialect) == scalarClass
    }

    private func contraction() -> Int? {
        guard scalars[position] == "'" else { return nil }
        return Self.contractions.first(where: isNext)?.count
    }

    /// The words that a special token is, if one is next.
    ///
    /// To OpenAI's and OpenCLIP's tokenizers it is one, which ``WordEncoder`` knows. A Hugging Face one that has
    /// got as far as here was in upper case, else ``SpecialTokens`` would have found it. CLIP's expression takes
    /// it as one word; the library then cuts what that has matched by GPT-2's expression, which leaves all other
    /// words as they are, and this one in its parts: `<|`, letters, `|>`.
    private func specialLiteral() -> [Range<Int>]? {
        guard scalars[position] == "<", let literal = specialLiterals.first(where: isNext) else { return nil }
        let end = position + literal.count
        guard dialect == .huggingFace else { return [position..<end] }
        return [position..<(position + 2), (position + 2)..<(end - 2), (end - 2)..<end]
    }

    private func isNext(_ literal: [Unicode.Scalar]) -> Bool {
        scalars[position...].starts(with: literal) {
            $0 == $1 || dialect != .huggingFace && $0 == "\u{17F}" && $1 == "s"
        }
    }
}
