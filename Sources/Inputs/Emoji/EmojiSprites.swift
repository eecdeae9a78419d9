import CFreeType
import Foundation

/// A square picture with premultiplied alpha, 8 bits a channel.
public struct Sprite: Sendable {
    /// Width and height in pixels.
    public static let size = 64
    /// Premultiplied RGBA, row-major. // [size, size, 4]
    public let pixels: [UInt8]
}

/// The colour bitmaps of a CBDT font such as Noto Color Emoji, one sprite for each concept.
public enum EmojiSprites {
    /// Loads one sprite for each concept: the font's bitmap, cropped to its opaque box, padded to a
    /// square and reduced to 64×64 by area averaging.
    /// - Throws: ``InputError`` when the font is missing, is no colour font or lacks a glyph.
    public static func load(_ sources: EmojiSources, concepts: [EmojiConcept]) throws -> [Sprite] {
        let font = sources.font
        let face = try FontFace(
            sources.contents(
                of: font, purpose: "the pictures of the emoji, from Debian's package fonts-noto-color-emoji"),
            path: font.path)
        try face.selectStrike(0)
        return try concepts.map { concept in
            guard let bitmap = try face.colourBitmap(concept.scalar) else {
                throw InputError.missingGlyph(path: font.path, codePoint: concept.scalar.value, name: concept.name)
            }
            return reduce(bitmap)
        }
    }

    /// Crop to the opaque box, centre in a square, average areas down to the sprite's size.
    private static func reduce(_ bitmap: ColourBitmap) -> Sprite {
        var (left, top, right, bottom) = (bitmap.width, bitmap.height, 0, 0)
        for y in 0..<bitmap.height {
            for x in 0..<bitmap.width where bitmap.pixels[(y * bitmap.width + x) * 4 + 3] > 0 {
                left = min(left, x)
                right = max(right, x + 1)
                top = min(top, y)
                bottom = max(bottom, y + 1)
            }
        }
        guard left < right else { return Sprite(pixels: [UInt8](repeating: 0, count: Sprite.size * Sprite.size * 4)) }
        let side = max(right - left, bottom - top)
        let originX = Double(left) - Double(side - (right - left)) / 2
        let originY = Double(top) - Double(side - (bottom - top)) / 2
        let step = Double(side) / Double(Sprite.size)
        var pixels = [UInt8](repeating: 0, count: Sprite.size * Sprite.size * 4)
        for y in 0..<Sprite.size {
            for x in 0..<Sprite.size {
                let area = bitmap.average(
                    x: originX + Double(x) * step, y: originY + Double(y) * step, side: step)
                for c in 0..<4 { pixels[(y * Sprite.size + x) * 4 + c] = UInt8(area[c] + 0.5) }
            }
        }
        return Sprite(pixels: pixels)
    }
}

/// Premultiplied RGBA of a glyph at the font's own size. // [height, width, 4]
struct ColourBitmap {
    let width: Int
    let height: Int
    let pixels: [UInt8]

    /// The mean over the square [x, x+side) × [y, y+side); transparent outside the bitmap.
    func average(x: Double, y: Double, side: Double) -> SIMD4<Double> {
        var sum = SIMD4<Double>.zero
        let rows = Int(y.rounded(.down))..<Int((y + side).rounded(.up))
        let columns = Int(x.rounded(.down))..<Int((x + side).rounded(.up))
        for row in rows.clamped(to: 0..<height) {
            let vertical = min(Double(row + 1), y + side) - max(Double(row), y)
            for column in columns.clamped(to: 0..<width) {
                let weight = vertical * (min(Double(column + 1), x + side) - max(Double(column), x))
                guard weight > 0 else { continue }
                let offset = (row * width + column) * 4
                for c in 0..<4 { sum[c] += weight * Double(pixels[offset + c]) }
            }
        }
        return sum / (side * side)
    }
}
