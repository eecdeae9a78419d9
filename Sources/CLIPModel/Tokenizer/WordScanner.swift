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

/// What CLIP's pattern tells apart: `\p{L}`, `\p{N}`, `\s`, and the rest.
enum ScalarClass {
    case letter, number, whitespace, other

    /// The version of Unicode whose letters and numbers the `tokenizers` library knows, by way of
    /// Oniguruma: compared scalar by scalar with release 0.23.3. To it, those that came later
    /// (4657 in Unicode 17) are unassigned: the rest.
    private static let versionOfTokenizersLibrary = (major: 16, minor: 0)

    /// The one mark that is a letter's variant in another case: where case is ignored, as OpenAI's
    /// expression does, Python's `regex` has it match neither `[\p{L}]` nor its complement.
    private static let markWithCase: Unicode.Scalar = "\u{345}"

    init(_ scalar: Unicode.Scalar, dialect: TokenizerDialect) {
        switch scalar.value {
        case 0x61...0x7A, 0x41...0x5A: self = .letter
        case 0x30...0x39: self = .number
        case 0x20, 0x09...0x0D: self = .whitespace
        case 0x00..<0x80: self = .other
        default: self = Self.beyondASCII(scalar, dialect)
        }
    }

    private static func beyondASCII(_ scalar: Unicode.Scalar, _ dialect: TokenizerDialect) -> ScalarClass {
        if scalar == markWithCase, dialect != .huggingFace { return .whitespace }
        let properties = scalar.properties
        let scalarClass: ScalarClass
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            scalarClass = .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            scalarClass = .number
        default:
            return properties.isWhitespace ? .whitespace : .other
        }
        if dialect != .huggingFace { return scalarClass }
        guard let age = properties.age, age <= versionOfTokenizersLibrary else { return .other }
        return scalarClass
    }
}
