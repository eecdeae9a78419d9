import Foundation

/// Reads JSON (RFC 8259) value by value from bytes in memory, without building a tree: annotations of a
/// whole data set have hundreds of megabytes, of which a few numbers are wanted.
///
/// Depth costs no stack. Values that nobody asks for are passed over by their brackets and quotes.
struct JSONBytes {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int

    /// What was expected where.
    struct Fault: Error, Equatable {
        var offset: Int
        var expected: String
    }

    /// Nesting beyond which a value is refused.
    private static let depthLimit = 64

    init(_ bytes: UnsafeRawBufferPointer, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    func fault(_ expected: String, at offset: Int? = nil) -> Fault {
        Fault(offset: offset ?? position, expected: expected)
    }

    // MARK: Containers

    /// Reads an object; `member` must consume the value of each key.
    mutating func object(_ member: (inout JSONBytes, String) throws -> Void) throws {
        try expect("{", "an object")
        if consume("}") { return }
        repeat {
            skipSpace()
            let key = try string()
            try expect(":", "a colon")
            try member(&self, key)
        } while consume(",")
        try expect("}", "a comma or the end of an object")
    }

    /// Reads an array; `element` must consume each value.
    mutating func array(_ element: (inout JSONBytes) throws -> Void) throws {
        try expect("[", "an array")
        if consume("]") { return }
        repeat { try element(&self) } while consume(",")
        try expect("]", "a comma or the end of an array")
    }

    mutating func end() throws {
        skipSpace()
        guard position == bytes.count else { throw fault("nothing more") }
    }

    /// The first byte of the next value.
    mutating func peek() -> UInt8? {
        skipSpace()
        return position < bytes.count ? bytes[position] : nil
    }

    // MARK: Values

    mutating func integer() throws -> Int {
        skipSpace()
        let start = position
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = position
        var value = 0
        while position < bytes.count, case let digit = bytes[position] &- 0x30, digit < 10 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(digit))
            guard !overflow, !carry else { throw fault("an integer of 64 bits", at: start) }
            value = sum
            position += 1
        }
        let isFraction =
            position < bytes.count
            && [UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E")].contains(bytes[position])
        guard position > first, !isFraction else { throw fault("an integer", at: start) }
        return isNegative ? -value : value
    }

    /// The double nearest to a decimal number, as Python's `float` gives it.
    mutating func number() throws -> Double {
        skipSpace()
        let start = position
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var (mantissa, digits, decimals) = (UInt64(0), 0, 0)
        func digit(_ place: Int) -> UInt8? {
            guard place < bytes.count, case let digit = bytes[place] &- 0x30, digit < 10 else { return nil }
            return digit
        }
        while let next = digit(position) {
            mantissa = mantissa &* 10 &+ UInt64(next)
            digits += 1
            position += 1
        }
        guard digits > 0 else { throw fault("a number", at: start) }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            while let next = digit(position) {
                mantissa = mantissa &* 10 &+ UInt64(next)
                decimals += 1
                position += 1
            }
            guard decimals > 0 else { throw fault("digits after the point") }
        }
        let hasExponent = position < bytes.count && bytes[position] | 0x20 == UInt8(ascii: "e")
        // Both numbers are exact, so that the quotient is rounded once.
        if !hasExponent, digits + decimals <= 15 {
            let value = Double(mantissa) / Self.powersOfTen[decimals]
            return isNegative ? -value : value
        }
        while position < bytes.count, "0123456789+-.eE".utf8.contains(bytes[position]), position - start < 400 {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw fault("a number", at: start) }
        return value
    }

    private static let powersOfTen: [Double] = (0...15).reduce(into: []) { powers, _ in
        powers.append((powers.last ?? 0.1) * 10)
    }

    mutating func string() throws -> String {
        let start = position
        let content = try rawString()
        guard content.contains(UInt8(ascii: "\\")) else {
            guard let text = String(validating: content, as: UTF8.self) else {
                throw fault("a string of UTF-8", at: start)
            }
            return text
        }
        // Rare in names; Foundation knows all escapes.
        guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[start..<position])) else {
            throw fault("a string", at: start)
        }
        return text
    }

    /// Consumes a string; its bytes between the quotes, escapes as they stand.
    mutating func rawString() throws -> UnsafeRawBufferPointer.SubSequence {
        try expect("\"", "a string")
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return bytes[start..<position - 1]
            case UInt8(ascii: "\\"): position += 2
            case 0..<0x20: throw fault("a string without control characters")
            default: position += 1
            }
        }
        position = bytes.count
        throw fault("the end of a string")
    }

    // MARK: Passing over

    /// Consumes one value of any kind.
    /// - Returns: its place in the bytes.
    @discardableResult mutating func skipValue() throws -> Range<Int> {
        skipSpace()
        let start = position
        var closers: [UInt8] = []
        repeat {
            skipSpace()
            guard position < bytes.count else { throw fault("a value") }
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // Closing brackets stand two behind the opening ones in ASCII.
                closers.append(bytes[position] + 2)
                guard closers.count <= Self.depthLimit else {
                    throw fault("no more than \(Self.depthLimit) values in each other")
                }
                position += 1
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard closers.popLast() == bytes[position] else { throw fault("a value") }
                position += 1
            case UInt8(ascii: "\""): _ = try rawString()
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard !closers.isEmpty else { throw fault("a value") }
                position += 1
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): skipNumber()
            default: try word()
            }
        } while !closers.isEmpty
        return start..<position
    }

    private mutating func skipNumber() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "e"),
                UInt8(ascii: "E"):
                position += 1
            default: return
            }
        }
    }

    private mutating func word() throws {
        for word in ["null", "true", "false"] where bytes[position...].starts(with: word.utf8) {
            position += word.utf8.count
            return
        }
        throw fault("a value")
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func consume(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar, _ what: String) throws {
        guard consume(character) else { throw fault(what) }
    }
}
