/// Reads `vocab.json`, one flat JSON object from strings to integers, entry by entry.
///
/// Foundation's parser would hand over a `[String: Any]`, in which of two equal keys one is
/// silently lost, canonically equivalent keys count as equal, and lines are forgotten.
///
/// Grammar: RFC 8259, without the values that a vocabulary does not hold. The bytes must be
/// valid UTF-8.
struct VocabularyParser {
    struct Entry: Equatable {
        var token: ByteString
        var id: Int
        var line: Int
    }

    private let bytes: [UInt8]
    private let path: String
    private var position = 0
    private var line = 1
    private var state = State.beforeObject

    private enum State { case beforeObject, inObject, afterObject }

    init(bytes: [UInt8], path: String) {
        self.bytes = bytes
        self.path = path
    }

    /// The next token with its id, or nil after the closing brace.
    mutating func next() throws(TokenizerError) -> Entry? {
        switch state {
        case .afterObject:
            return nil
        case .beforeObject:
            try expect(UInt8(ascii: "{"), "'{'")
            state = .inObject
            if skip(UInt8(ascii: "}")) { return try finish() }
        case .inObject:
            if skip(UInt8(ascii: "}")) { return try finish() }
            try expect(UInt8(ascii: ","), "',' or '}'")
        }
        try expect(UInt8(ascii: "\""), "a token in quotes")
        let token = ByteString(try string())
        try expect(UInt8(ascii: ":"), "':'")
        return Entry(token: token, id: try integer(of: token), line: line)
    }

    private mutating func finish() throws(TokenizerError) -> Entry? {
        state = .afterObject
        skipWhitespace()
        guard position == bytes.count else { throw malformed("the end of the file") }
        return nil
    }

    // MARK: - Strings

    /// The string whose opening quote has just been read.
    private mutating func string() throws(TokenizerError) -> ArraySlice<UInt8> {
        let start = position
        // Most tokens have no escapes: those are a slice of the file.
        while let byte = peek(), byte >= 0x20, byte != UInt8(ascii: "\\") {
            position += 1
            if byte == UInt8(ascii: "\"") { return bytes[start..<(position - 1)] }
        }
        var unescaped = bytes[start..<position]
        while let byte = peek(), byte >= 0x20 {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return unescaped
            case UInt8(ascii: "\\"): unescaped.append(contentsOf: try escaped())
            default: unescaped.append(byte)
            }
        }
        throw malformed("a closing quote")
    }

    /// The UTF-8 of the escape whose backslash has just been read.
    private mutating func escaped() throws(TokenizerError) -> [UInt8] {
        guard let byte = peek() else { throw malformed("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw malformed("an escape")
        }
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return Array(String(Character(scalar)).utf8) }
        // A surrogate: half of a character beyond U+FFFF, good only before its other half.
        if UTF16.isLeadSurrogate(first), bytes[position...].starts(with: #"\u"#.utf8) {
            position += 2
            let second = try hexadecimal()
            if UTF16.isTrailSurrogate(second) {
                return Array(String(decoding: [first, second], as: UTF16.self).utf8)
            }
        }
        throw malformed("a pair of surrogates")
    }

    private mutating func hexadecimal() throws(TokenizerError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = peek().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                throw malformed("four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // MARK: - Integers

    private mutating func integer(of token: ByteString) throws(TokenizerError) -> Int {
        skipWhitespace()
        let start = position
        while let byte = peek(), !isDelimiter(byte) { position += 1 }
        let digits = bytes[start..<position]
        let magnitude = digits.first == UInt8(ascii: "-") ? digits.dropFirst() : digits
        let hasLeadingZero = magnitude.count > 1 && magnitude.first == UInt8(ascii: "0")
        let isDecimal = magnitude.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
        }
        guard isDecimal, !hasLeadingZero, let value = Int(String(decoding: digits, as: UTF8.self))
        else {
            throw .tokenIDNotInteger(path: path, line: line, token: token.description)
        }
        return value
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}")
    }

    // MARK: - Bytes

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhitespace() {
        while let byte = peek() {
            switch byte {
            case 0x0A: line += 1
            case 0x09, 0x0D, 0x20: break
            default: return
            }
            position += 1
        }
    }

    /// Skips whitespace, then `byte` if it is next; says whether it was.
    private mutating func skip(_ byte: UInt8) -> Bool {
        skipWhitespace()
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, _ name: String) throws(TokenizerError) {
        guard skip(byte) else { throw malformed(name) }
    }

    private func malformed(_ expected: String) -> TokenizerError {
        .malformedVocabulary(path: path, line: line, expected: expected)
    }
}
