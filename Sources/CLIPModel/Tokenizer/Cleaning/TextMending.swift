import Foundation

/// The mends of ftfy's `fix_text` that do not guess.
///
/// Done, as ftfy 6.3 does them and in its order, again and again until nothing changes:
///
/// - HTML's references with a semicolon, names all in capitals too; in no line from the first `<` on;
/// - control characters of Latin-1 (U+0080 to U+009F) read in Windows-1252;
/// - Latin ligatures and digraphs (`ﬁ`, `ǆ`, `ŉ`) in their letters;
/// - full-width and half-width forms, and the ideographic space, in their usual width;
/// - curly quotes and the modifier apostrophe made straight;
/// - line breaks of every sort;
/// - terminal escapes, control characters, byte-order marks and the like removed;
/// - normalization form C.
///
/// Not done: the repair of mojibake, that is of text that was decoded in the wrong encoding (`sÃ³` for `só`),
/// with ftfy's search through ten encodings. Surrogates are not: no Swift string holds them. Nor is a line
/// cut at a million scalars.
enum TextMending {
    /// Texts are mended this often at most; only references nested as deep (`&amp;amp;amp;…`) need more than a few.
    private static let passes = 64

    /// True if nothing in a text could be mended: the common case.
    static func isSound(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "&") || $0 == 0x09 || $0 == 0x0A }
    }

    static func mend(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var mended: [Unicode.Scalar] = []
        var unescapes = true
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
            let line = text[start..<end]
            if line.contains("<") { unescapes = false }
            mended.append(contentsOf: mend(line: Array(line), unescapes: unescapes))
            start = end
        }
        return mended
    }

    private static func mend(line: [Unicode.Scalar], unescapes: Bool) -> [Unicode.Scalar] {
        var line = line
        for _ in 0..<passes {
            var mended = unescapes ? unescape(line) : line
            mended = mended.flatMap(replacement)
            mended = withoutTerminalEscapes(mended).filter { !isRemoved($0) }
            mended = CanonicalComposition.ofThisRuntime.compose(mended)
            if mended == line { break }
            line = mended
        }
        return line
    }

    // MARK: References

    private static let longestName = 24

    /// Replaces the references that end in a semicolon.
    private static func unescape(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains("&") else { return text }
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(text.count)
        var position = 0
        while position < text.count {
            guard text[position] == "&", let end = endOfReference(in: text, from: position + 1) else {
                result.append(text[position])
                position += 1
                continue
            }
            let whole = text[position..<end]
            result.append(contentsOf: meaning(of: whole) ?? Array(whole))
            position = end
        }
        return result
    }

    /// The place after `#?[0-9A-Za-z]{1,24};`.
    private static func endOfReference(in text: [Unicode.Scalar], from start: Int) -> Int? {
        let first = start < text.count && text[start] == "#" ? start + 1 : start
        var end = first
        while end < text.count, end - first < longestName, isAlphanumeric(text[end]) { end += 1 }
        return end > first && end < text.count && text[end] == ";" ? end + 1 : nil
    }

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }

    private static func meaning(of reference: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar]? {
        let name = reference.dropFirst()
        guard name.first == "#" else { return HTMLEntities.scalarsInAnyCase(name) }
        let unescaped = HTMLReferences.unescape(Array(reference))
        // One that has been read in part only, or stands for a semicolon, is left.
        return unescaped.contains(";") ? nil : unescaped
    }

    // MARK: Scalars

    /// What stands for a scalar in mended text.
    private static func replacement(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        switch scalar.value {
        case 0x0D: ["\n"]
        case 0..<0x80: [scalar]
        case 0x80...0x9F: [straightQuote(Windows1252.scalar(scalar.value))]
        case 0x132...0x1F3, 0xFB00...0xFB06: letters[scalar] ?? [scalar]
        case 0x2BC, 0x2018...0x201F: [straightQuote(scalar)]
        case 0x2028, 0x2029: ["\n"]
        case 0x3000: [" "]
        case 0xFF01...0xFFEF: Array(String(scalar).precomposedStringWithCompatibilityMapping.unicodeScalars)
        default: [scalar]
        }
    }

    private static func straightQuote(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0x2BC, 0x2018...0x201B: "'"
        case 0x201C...0x201F: "\""
        default: scalar
        }
    }

    private static let letters: [Unicode.Scalar: [Unicode.Scalar]] = [
        "\u{132}": "IJ", "\u{133}": "ij", "\u{149}": "'n", "\u{1F1}": "DZ", "\u{1F2}": "Dz", "\u{1F3}": "dz",
        "\u{1C4}": "D\u{17D}", "\u{1C5}": "D\u{17E}", "\u{1C6}": "d\u{17E}", "\u{1C7}": "LJ", "\u{1C8}": "Lj",
        "\u{1C9}": "lj", "\u{1CA}": "NJ", "\u{1CB}": "Nj", "\u{1CC}": "nj", "\u{FB00}": "ff", "\u{FB01}": "fi",
        "\u{FB02}": "fl", "\u{FB03}": "ffi", "\u{FB04}": "ffl", "\u{FB05}": "\u{17F}t", "\u{FB06}": "st",
    ].mapValues { (letters: String) in Array(letters.unicodeScalars) }

    private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }

    /// Without the sequences that colour a terminal: escape, `[`, digits and semicolons, a letter.
    private static func withoutTerminalEscapes(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains("\u{1B}") else { return text }
        var result: [Unicode.Scalar] = []
        var position = 0
        while position < text.count {
            if text[position] == "\u{1B}", position + 1 < text.count, text[position + 1] == "[" {
                let end = text[(position + 2)...].firstIndex { !isParameter($0) }
                if let end, text[end].isASCII, text[end].properties.isAlphabetic {
                    position = end + 1
                    continue
                }
            }
            result.append(text[position])
            position += 1
        }
        return result
    }

    private static func isParameter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ";" || scalar.properties.generalCategory == .decimalNumber
    }
}

/// The code page that HTML reads Latin-1's control characters in.
enum Windows1252 {
    /// What stands at 0x80 to 0x9F; where the code page has nothing, the control character itself.
    private static let scalars: [Unicode.Scalar] = [
        "\u{20AC}", "\u{81}", "\u{201A}", "\u{192}", "\u{201E}", "\u{2026}", "\u{2020}", "\u{2021}",
        "\u{2C6}", "\u{2030}", "\u{160}", "\u{2039}", "\u{152}", "\u{8D}", "\u{17D}", "\u{8F}",
        "\u{90}", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{2022}", "\u{2013}", "\u{2014}",
        "\u{2DC}", "\u{2122}", "\u{161}", "\u{203A}", "\u{153}", "\u{9D}", "\u{17E}", "\u{178}",
    ]

    /// - Parameter control: 0x80 to 0x9F.
    static func scalar(_ control: UInt32) -> Unicode.Scalar { scalars[Int(control - 0x80)] }
}
