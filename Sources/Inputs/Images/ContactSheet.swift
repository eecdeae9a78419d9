import Foundation

/// Scenes with their captions in rows of eight on one picture, for people to look at.
public enum ContactSheet {
    static let columns = 8
    /// Width that a scene is enlarged to, as near as a whole factor comes without exceeding it.
    static let sceneWidth = 192
    static let gap = 16
    static let titleHeight = 22
    static let textHeight = 13
    static let lineHeight = 17
    static let captionLines = 2

    /// - Parameters:
    ///   - scenes: all of one size.
    ///   - title: the line on top; it should name data set, split and seed.
    ///   - font: a text font, such as DejaVu Sans.
    ///   - showMasks: tints the main object red and the second one blue, on a grey background.
    /// - Throws: ``InputError`` when the font is missing or draws no text.
    public static func make(
        scenes: [EmojiScene], title: String, font: URL, showMasks: Bool = false
    ) throws -> RGBImage {
        let face = try FontFace.text(font)
        let size = scenes.first?.image.width ?? sceneWidth
        let scale = max(1, sceneWidth / size)
        let cellWidth = size * scale + gap
        let cellHeight = size * scale + captionLines * lineHeight + gap
        let rows = (scenes.count + columns - 1) / columns
        let header = 2 * gap + titleHeight
        var sheet = RGBImage(width: columns * cellWidth + gap, height: header + rows * cellHeight + gap)

        try face.setPixelHeight(titleHeight)
        let titleWidth = sheet.width - 2 * gap
        try face.draw(face.shortened(title, to: titleWidth), in: &sheet, x: gap, baseline: gap + titleHeight)

        try face.setPixelHeight(textHeight)
        for (index, scene) in scenes.enumerated() {
            let x = gap + index % columns * cellWidth
            let y = header + index / columns * cellHeight
            sheet.paste(showMasks ? scene.image.tinted(by: scene.mask) : scene.image, x: x, y: y, scale: scale)
            // A caption may use the gap to the next one but for a space between the two.
            for (line, text) in try face.wrapped(scene.caption, to: cellWidth - gap / 2, lines: captionLines)
                .enumerated()
            {
                try face.draw(text, in: &sheet, x: x, baseline: y + size * scale + (line + 1) * lineHeight)
            }
        }
        return sheet
    }
}

extension RGBImage {
    /// The picture in another size, bicubic as Pillow has it.
    public func resized(width: Int, height: Int) -> RGBImage {
        let across = ResamplingWeights(.bicubic, side: self.width, resized: width, wanted: 0..<width)
        let down = ResamplingWeights(.bicubic, side: self.height, resized: height, wanted: 0..<height)
        let whole = PixelGrid(self, rows: 0..<self.height, columns: 0..<self.width)
        return RGBImage(width: width, height: height, pixels: whole.resizedAcross(across).resizedDown(down).pixels)
    }

    /// Fills the pixels whose centres are not farther from one than `radius`; what lies outside is cut.
    /// - Parameter colour: red, green, blue.
    public mutating func fillDisc(x: Int, y: Int, radius: Int, _ colour: [UInt8]) {
        for row in y - radius...y + radius where (0..<height).contains(row) {
            for column in x - radius...x + radius where (0..<width).contains(column) {
                guard (row - y) * (row - y) + (column - x) * (column - x) <= radius * radius else { continue }
                for c in 0..<3 { pixels[(row * width + column) * 3 + c] = colour[c] }
            }
        }
    }
}

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
