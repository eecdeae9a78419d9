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
