/// Reads JSON strictly and without recursion over its depth.
///
/// A header comes from outside. General JSON parsers accept duplicate keys silently, and some
/// descend one stack frame a bracket, so the few productions a header needs are read here.
struct HeaderScanner {
    /// Nesting beyond which a header is refused; the reference parser has the same bound.
    static let depthLimit = 127

    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    // MARK: Containers

    /// Reads an object, calling `member` at the value of each key; `member` must consume it.
    mutating func object(_ member: (inout HeaderScanner, String) throws -> Void) throws {
        try expect(UInt8(ascii: "{"), as: "object")
        if consume(UInt8(ascii: "}")) { return }
        repeat {
            skipSpace()
            let key = try string()
            try expect(UInt8(ascii: ":"), as: "colon")
            try member(&self, key)
        } while consume(UInt8(ascii: ","))
        try expect(UInt8(ascii: "}"), as: "comma or end of object")
    }

    /// Reads an array of integers from 0 to `Int.max`.
    mutating func naturalNumbers() throws -> [Int] {
        var numbers: [Int] = []
        try expect(UInt8(ascii: "["), as: "array")
        if consume(UInt8(ascii: "]")) { return numbers }
        repeat {
            numbers.append(try naturalNumber())
        } while consume(UInt8(ascii: ","))
        try expect(UInt8(ascii: "]"), as: "comma or end of array")
        return numbers
    }

    /// Fails unless nothing but white space is left.
    mutating func end() throws {
        skipSpace()
        guard position == bytes.count else { throw failure(.trailingBytes) }
    }

    /// Whether the next value is `null`, which is then consumed.
    mutating func null() throws -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    // MARK: Scalars

    mutating func naturalNumber() throws -> Int {
        skipSpace()
        let start = position
        try number()
        guard let value = Int(String(decoding: bytes[start..<position], as: UTF8.self)),
            value >= 0, bytes[start] != UInt8(ascii: "-")
        else { throw failure(.expected("natural number"), at: start) }
        return value
    }

    mutating func string() throws -> String {
        try expect(UInt8(ascii: "\""), as: "string")
        var text: [UInt8] = []
        while true {
            let byte = try next()
            switch byte {
            case UInt8(ascii: "\""):
                // The whole header has been checked to be UTF-8, and escapes add whole characters.
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20:
                throw failure(.controlCharacter, at: position - 1)
            default:
                text.append(byte)
            }
        }
    }

    private mutating func escape() throws -> Unicode.Scalar {
        let start = position - 1
        switch try next() {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if (0xD800..<0xDC00).contains(code) {
                guard try next() == UInt8(ascii: "\\"), try next() == UInt8(ascii: "u") else {
                    throw failure(.invalidEscape, at: start)
                }
                let low = try hexadecimal()
                guard (0xDC00..<0xE000).contains(low) else {
                    throw failure(.invalidEscape, at: start)
                }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw failure(.invalidEscape, at: start)
            }
            return scalar
        default:
            throw failure(.invalidEscape, at: start)
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(try next())).hexDigitValue else {
                throw failure(.invalidEscape, at: position - 1)
            }
            code = code << 4 | UInt32(digit)
        }
        return code
    }

    /// Consumes a number of JSON's grammar.
    private mutating func number() throws {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
        func digits() -> Bool {
            let first = position
            while isDigit(peek) { position += 1 }
            return position > first
        }
        if peek == UInt8(ascii: "-") { position += 1 }
        if peek == UInt8(ascii: "0") {
            position += 1
        } else if !digits() {
            throw failure(.expected("number"), at: start)
        }
        if peek == UInt8(ascii: ".") {
            position += 1
            guard digits() else { throw failure(.invalidNumber, at: start) }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            position += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
            guard digits() else { throw failure(.invalidNumber, at: start) }
        }
        guard !isDigit(peek) else { throw failure(.invalidNumber, at: start) }
    }

    private mutating func word(_ word: String) throws {
        for byte in word.utf8 where try next() != byte {
            throw failure(.unexpectedByte(bytes[position - 1]), at: position - 1)
        }
    }

    // MARK: Skipping

    /// Consumes one value of any kind: fields that the format does not know are ignored, as the
    /// reference library does. `depth` counts the containers around the value.
    mutating func skipValue(depth: Int) throws {
        var closers: [UInt8] = []
        repeat {
            skipSpace()
            switch peek {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = peek == UInt8(ascii: "{")
                position += 1
                closers.append(isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
                guard depth + closers.count <= Self.depthLimit else { throw failure(.tooDeep) }
                if !consume(closers[closers.count - 1]) {
                    if isObject { try skipKey() }
                    continue
                }
                closers.removeLast()
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"): try word("true")
            case UInt8(ascii: "f"): try word("false")
            case UInt8(ascii: "n"): try word("null")
            default: try number()
            }
            while let closer = closers.last {
                if consume(UInt8(ascii: ",")) {
                    if closer == UInt8(ascii: "}") { try skipKey() }
                    break
                }
                try expect(closer, as: "comma or end")
                closers.removeLast()
            }
        } while !closers.isEmpty
    }

    private mutating func skipKey() throws {
        _ = try string()
        try expect(UInt8(ascii: ":"), as: "colon")
    }

    // MARK: Bytes

    private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func next() throws -> UInt8 {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        skipSpace()
        guard peek == byte else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: UInt8, as what: String) throws {
        skipSpace()
        guard peek != nil else { throw failure(.unexpectedEnd) }
        guard peek == byte else { throw failure(.expected(what)) }
        position += 1
    }

    func failure(_ problem: JSONProblem, at offset: Int? = nil) -> HeaderDefect {
        .invalidJSON(offset: offset ?? position, problem: problem)
    }
}
