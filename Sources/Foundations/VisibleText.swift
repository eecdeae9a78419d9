extension String {
    /// The text with all that a terminal obeys or hides instead of showing it written as escapes, such as `\u001b`: control
    /// characters but the line end and the tab, and marks that turn the direction of what follows.
    ///
    /// Names and texts come from strangers; this is for where they leave the program. A JSON document stays one: within its
    /// strings the escapes mean the same characters.
    public var visible: String {
        // The first bytes of all that is hidden: most texts have none of them.
        guard utf8.contains(where: Self.mayBeginHidden) else { return self }
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if Self.isHidden(scalar) {
                let digits = String(scalar.value, radix: 16)
                result.append(
                    contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    /// The text on one line: line ends and tabs are escapes, too.
    public var visibleLine: String { visible.replacing("\n", with: "\\u000a").replacing("\t", with: "\\u0009") }

    private static func mayBeginHidden(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F, 0xC2, 0xD8, 0xE2: true
        default: false
        }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        // C0, delete and C1.
        case 0..<0x20, 0x7F..<0xA0: true
        // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

extension String {
    /// How many columns of a terminal the text takes: two for a wide character of East Asia and for an emoji, one for any
    /// other, none for a mark that stands on the character before it.
    public var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

    /// The text with spaces up to a width in columns; one that is wider stays as it is.
    public func padded(to width: Int, atTheLeft: Bool = false) -> String {
        let space = String(repeating: " ", count: max(0, width - displayWidth))
        return atTheLeft ? space + self : self + space
    }
}

extension Character {
    fileprivate var displayWidth: Int {
        // Most texts; a line end is one character of two scalars, and takes no column of its own.
        if let value = asciiValue { return value >= 0x20 && value != 0x7F ? 1 : 0 }
        guard let first = unicodeScalars.first else { return 0 }
        // A selector asks for the picture of a character that has a plain form, too.
        if unicodeScalars.count > 1, unicodeScalars.contains("\u{FE0F}") { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: return first.properties.isEmojiPresentation || first.isWide ? 2 : 1
        }
    }
}

extension Unicode.Scalar {
    /// The blocks whose characters are wide or full-width by Unicode's annex 11.
    fileprivate var isWide: Bool {
        switch value {
        // Hangul Jamo's leading consonants; CJK radicals to Yi; Hangul syllables; compatibility ideographs.
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3, 0xF900...0xFAFF: true
        // Vertical and full-width forms; Tangut to the supplements of Kana; supplementary ideographs.
        case 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x1B2FB, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
