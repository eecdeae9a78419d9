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

    /// Colours of the main and of the second object's mask.
    static let maskColours: [SIMD3<Int>] = [[230, 30, 30], [30, 60, 230]]

    /// - Parameters:
    ///   - scenes: all of one size.
    ///   - title: the line on top; it should name data set, split and seed.
    ///   - font: a text font, such as DejaVu Sans.
    ///   - showMasks: tints the main object red and the second one blue, on a grey background.
    /// - Throws: ``InputError`` when the font is missing or draws no text.
    public static func make(
        scenes: [EmojiScene], title: String, font: URL, showMasks: Bool = false
    ) throws -> RGBImage {
        guard FileManager.default.fileExists(atPath: font.path) else {
            throw InputError.missingFile(
                path: font.path, purpose: "the font of the captions, from Debian's package fonts-dejavu-core")
        }
        let face = try FontFace(path: font.path)
        let size = scenes.first?.image.width ?? sceneWidth
        let scale = max(1, sceneWidth / size)
        let cellWidth = size * scale + gap
        let cellHeight = size * scale + captionLines * lineHeight + gap
        let rows = (scenes.count + columns - 1) / columns
        let header = 2 * gap + titleHeight
        var sheet = RGBImage(width: columns * cellWidth + gap, height: header + rows * cellHeight + gap)

        try face.setPixelHeight(titleHeight)
        let titleWidth = sheet.width - 2 * gap
        try face.draw(wrap(title, to: titleWidth, lines: 1, face)[0], in: &sheet, x: gap, baseline: gap + titleHeight)

        try face.setPixelHeight(textHeight)
        for (index, scene) in scenes.enumerated() {
            let x = gap + index % columns * cellWidth
            let y = header + index / columns * cellHeight
            sheet.paste(showMasks ? tinted(scene) : scene.image, x: x, y: y, scale: scale)
            // A caption may use the gap to the next one but for a space between the two.
            for (line, text) in try wrap(scene.caption, to: cellWidth - gap / 2, lines: captionLines, face).enumerated() {
                try face.draw(text, in: &sheet, x: x, baseline: y + size * scale + (line + 1) * lineHeight)
            }
        }
        return sheet
    }

    /// Breaks `text` at spaces into lines of at most `width` pixels. What does not fit into the last
    /// line, or a word that is longer than a line, ends in an ellipsis.
    private static func wrap(_ text: String, to width: Int, lines: Int, _ face: FontFace) throws -> [String] {
        var wrapped = [""]
        for word in text.split(separator: " ") {
            let current = wrapped[wrapped.count - 1]
            let longer = current.isEmpty ? String(word) : "\(current) \(word)"
            if current.isEmpty || wrapped.count == lines {
                wrapped[wrapped.count - 1] = longer
            } else if try face.width(of: longer) <= width {
                wrapped[wrapped.count - 1] = longer
            } else {
                wrapped.append(String(word))
            }
        }
        return try wrapped.map { try shortened($0, to: width, face) }
    }

    private static func shortened(_ line: String, to width: Int, _ face: FontFace) throws -> String {
        guard try face.width(of: line) > width else { return line }
        var kept = Substring(line)
        while !kept.isEmpty, try face.width(of: kept + "…") > width { kept.removeLast() }
        return kept + "…"
    }

    /// The scene's picture with its objects half covered by the colours of their masks, the rest grey.
    private static func tinted(_ scene: EmojiScene) -> RGBImage {
        var image = scene.image
        for (pixel, object) in scene.mask.enumerated() {
            let values = (0..<3).map { Int(image.pixels[pixel * 3 + $0]) }
            let grey = values.reduce(0, +) / 3
            for c in 0..<3 {
                image.pixels[pixel * 3 + c] = UInt8(object == 0 ? grey : (values[c] + maskColours[Int(object) - 1][c]) / 2)
            }
        }
        return image
    }
}
