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
