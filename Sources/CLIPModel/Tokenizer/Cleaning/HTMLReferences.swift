/// Replaces HTML's character references by what they stand for.
///
/// Source: HTML Living Standard, 13.2.5.72 to 13.2.5.80, in the form in which Python's `html.unescape` has them: of a
/// name that is not known the longest known beginning counts, a number's semicolon may be missing, and scalars
/// that no text may hold are left out.
enum HTMLReferences {
    /// The text with all its references replaced, once; equal to Python's `html.unescape`.
    ///
    /// (Python raises an error for a number of more than 4300 digits; here it is one out of Unicode's range.)
    static func unescape(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains("&") else { return text }
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            if text[position] == "&", let (scalars, end) = reference(in: text, after: position + 1) {
                result.append(contentsOf: scalars)
                position = end
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }

    /// - Parameter start: the place after the ampersand.
    /// - Returns: what the reference stands for, and the place after it.
    private static func reference(in text: [Unicode.Scalar], after start: Int) -> ([Unicode.Scalar], end: Int)? {
        guard start < text.count else { return nil }
        if text[start] == "#" { return number(in: text, after: start + 1) }
        return name(in: text, from: start)
    }

    // MARK: Numbers

    /// The number of a reference such as `&#233;` or `&#xE9`, and the place after it.
    private static func number(in text: [Unicode.Scalar], after start: Int) -> ([Unicode.Scalar], end: Int)? {
        guard start < text.count else { return nil }
        let isHexadecimal = text[start] == "x" || text[start] == "X"
        let first = isHexadecimal ? start + 1 : start
        var end = first
        var value: UInt32 = 0
        while end < text.count, let digit = digit(text[end], isHexadecimal: isHexadecimal) {
            // Beyond Unicode it does not matter how far.
            value = min(value * (isHexadecimal ? 16 : 10) + digit, 0x110000)
            end += 1
        }
        guard end > first else { return nil }
        if end < text.count, text[end] == ";" { end += 1 }
        return (scalars(numbered: value), end)
    }

    private static func digit(_ scalar: Unicode.Scalar, isHexadecimal: Bool) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f" where isHexadecimal: scalar.value - 0x61 + 10
        case "A"..."F" where isHexadecimal: scalar.value - 0x41 + 10
        default: nil
        }
    }

    private static func scalars(numbered value: UInt32) -> [Unicode.Scalar] {
        switch value {
        case 0: return ["\u{FFFD}"]
        case 0x80...0x9F: return [Windows1252.scalar(value)]
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
        case _ where value <= 0x10FFFF && value & 0xFFFE == 0xFFFE: return []
        default: return [Unicode.Scalar(value) ?? "\u{FFFD}"]
        }
    }

    // MARK: Names

    private static let longestName = 32

    private static func name(in text: [Unicode.Scalar], from start: Int) -> ([Unicode.Scalar], end: Int)? {
        var end = start
        while end < text.count, end - start < longestName, !endsName(text[end]) { end += 1 }
        guard end > start else { return nil }
        if end < text.count, text[end] == ";" { end += 1 }
        for length in stride(from: end - start, through: HTMLEntities.shortestName, by: -1) {
            if let scalars = HTMLEntities.scalars(text[start..<(start + length)]) {
                return (scalars + text[(start + length)..<end], end)
            }
        }
        return nil
    }

    private static func endsName(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\u{C}", " ", "<", "&", "#", ";": true
        default: false
        }
    }
}
