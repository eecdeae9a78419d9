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
/// Source: openai/CLIP `clip/simple_tokenizer.py`; `transformers` `tokenization_clip.py`.
struct WordScanner: IteratorProtocol {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    /// Words found and not yet handed over, the next one last.
    private var pending: [Range<Int>] = []

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
        .map { Array($0.unicodeScalars) }

    /// The special tokens, in three parts each: `<|`, letters, `|>`.
    ///
    /// One that has got as far as here was in upper case, else ``SpecialTokens`` would have found
    /// it. CLIP's expression takes it as one word; the library then cuts what that has matched by
    /// GPT-2's expression, which leaves all other words as they are, and this one in its parts.
    private static let specialLiterals = [SpecialTokens.startLiteral, SpecialTokens.endLiteral]
        .map { literal in
            let scalars = Array(literal.unicodeScalars)
            let letters = 2..<(scalars.count - 2)
            return (scalars: scalars, parts: [0..<2, letters, letters.upperBound..<scalars.count])
        }

    /// - Parameter scalars: text from ``TextNormalizer``.
    init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
    }

    /// The positions of the next word's scalars, or nil at the end.
    mutating func next() -> Range<Int>? {
        if let word = pending.popLast() { return word }
        while position < scalars.count {
            let start = position
            switch ScalarClass(scalars[start]) {
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
        } while position < scalars.count && ScalarClass(scalars[position]) == scalarClass
    }

    private func contraction() -> Int? {
        guard scalars[position] == "'" else { return nil }
        return Self.contractions.first { scalars[position...].starts(with: $0) }?.count
    }

    private func specialLiteral() -> [Range<Int>]? {
        guard scalars[position] == "<",
            let literal = Self.specialLiterals.first(where: {
                scalars[position...].starts(with: $0.scalars)
            })
        else { return nil }
        return literal.parts.map { (position + $0.lowerBound)..<(position + $0.upperBound) }
    }
}
