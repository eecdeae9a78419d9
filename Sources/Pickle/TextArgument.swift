/// The arguments that protocol 0 writes as text.
enum TextArgument {
    /// A number of INT: decimal, or `00` and `01` for the truth values.
    static func node(int line: UnsafeRawBufferPointer) -> PickleNode? {
        let text = String(decoding: line, as: UTF8.self)
        switch text {
        case "00": return .bool(false)
        case "01": return .bool(true)
        default: return Int(text).map(PickleNode.int)
        }
    }

    /// A number of LONG: decimal, with an `L` at the end as a rule.
    static func node(long line: UnsafeRawBufferPointer) -> PickleNode? {
        let text = String(decoding: line, as: UTF8.self)
        return Int(text.hasSuffix("L") ? String(text.dropLast()) : text).map(PickleNode.int)
    }

    /// A number of LONG1 and LONG4: two's complement, little-endian, of any length.
    static func node(littleEndian bytes: UnsafeRawBufferPointer) -> PickleNode {
        guard bytes.count <= 8 else { return .largeInt(Array(bytes)) }
        var value: UInt64 = bytes.last.map { $0 & 0x80 != 0 ? .max : 0 } ?? 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return .int(Int(Int64(bitPattern: value)))
    }

    /// The bytes of STRING: a string of Python 2 as its `repr` has it.
    static func bytes(string line: UnsafeRawBufferPointer) -> [UInt8]? {
        guard line.count >= 2, let quote = line.first, line.last == quote,
            quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
        else { return nil }
        let quoted = Array(line.dropFirst().dropLast())
        var bytes: [UInt8] = []
        var position = 0
        while position < quoted.count {
            guard quoted[position] == UInt8(ascii: "\\") else {
                bytes.append(quoted[position])
                position += 1
                continue
            }
            guard position + 1 < quoted.count else { return nil }
            let escape = quoted[position + 1]
            position += 2
            switch escape {
            case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(escape)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x"):
                guard let value = hexadecimal(quoted, position, digits: 2) else { return nil }
                bytes.append(UInt8(value))
                position += 2
            default: return nil
            }
        }
        return bytes
    }

    /// The text of UNICODE: Latin-1 bytes, with `\uXXXX` and `\UXXXXXXXX` for all else.
    static func text(unicode line: UnsafeRawBufferPointer) -> String? {
        let bytes = Array(line)
        var text = String.UnicodeScalarView()
        var position = 0
        while position < bytes.count {
            var value = UInt32(bytes[position])
            position += 1
            if value == UInt32(UInt8(ascii: "\\")), position < bytes.count,
                let digits = [UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8][bytes[position]]
            {
                guard let escaped = hexadecimal(bytes, position + 1, digits: digits) else { return nil }
                value = escaped
                position += 1 + digits
            }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            text.append(scalar)
        }
        return String(text)
    }

    private static func hexadecimal(_ bytes: [UInt8], _ start: Int, digits: Int) -> UInt32? {
        guard start + digits <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[start..<start + digits] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
