import Foundation

/// Lines of text that fit a width, for contact sheets and galleries.
extension FontFace {
    /// Opens a text font.
    /// - Throws: ``InputError`` when the font is missing or FreeType refuses it.
    static func text(_ font: URL) throws -> FontFace {
        try FontFace(
            InputError.contents(of: font, purpose: "the font of the captions, from Debian's package fonts-dejavu-core"),
            path: font.path)
    }

    /// Breaks `text` at spaces into lines of at most `width` pixels. What does not fit into the last
    /// line, or a word that is longer than a line, ends in an ellipsis.
    func wrapped(_ text: String, to width: Int, lines: Int) throws -> [String] {
        var wrapped = [""]
        for word in text.split(separator: " ") {
            let current = wrapped[wrapped.count - 1]
            let longer = current.isEmpty ? String(word) : "\(current) \(word)"
            if current.isEmpty || wrapped.count == lines {
                wrapped[wrapped.count - 1] = longer
            } else if try self.width(of: longer) <= width {
                wrapped[wrapped.count - 1] = longer
            } else {
                wrapped.append(String(word))
            }
        }
        return try wrapped.map { try shortened($0, to: width) }
    }

    /// The line itself, or as much of it as fits `width` pixels with an ellipsis.
    func shortened(_ line: String, to width: Int) throws -> String {
        guard try self.width(of: line) > width else { return line }
        var kept = Substring(line)
        while !kept.isEmpty, try self.width(of: kept + "…") > width { kept.removeLast() }
        return kept + "…"
    }
}
