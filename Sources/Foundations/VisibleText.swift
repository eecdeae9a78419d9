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
