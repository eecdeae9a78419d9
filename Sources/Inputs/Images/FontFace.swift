import CFreeType
import Foundation

/// One face of a font file, drawn by FreeType. Confined to the thread that made it.
final class FontFace {
    let path: String
    /// FreeType reads from it for as long as the face is open.
    private let memory: UnsafeMutableRawBufferPointer
    private var library: FT_Library?
    private var face: FT_Face?

    /// - Parameter path: what the font is called in an error.
    init(_ bytes: Data, path: String) throws {
        self.path = path
        memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        bytes.withUnsafeBytes { memory.copyMemory(from: $0) }
        try check(FT_Init_FreeType(&library), "FT_Init_FreeType")
        try check(
            FT_New_Memory_Face(
                library, memory.baseAddress?.bindMemory(to: UInt8.self, capacity: bytes.count), FT_Long(bytes.count), 0,
                &face),
            "FT_New_Memory_Face")
    }

    deinit {
        if let face { FT_Done_Face(face) }
        if let library { FT_Done_FreeType(library) }
        memory.deallocate()
    }

    /// Chooses one of the sizes of a bitmap font.
    func selectStrike(_ index: Int32) throws {
        try check(FT_Select_Size(face, index), "FT_Select_Size (is this a colour bitmap font?)")
    }

    /// Sets the size of an outline font in pixels.
    func setPixelHeight(_ height: Int) throws {
        try check(FT_Set_Pixel_Sizes(face, 0, UInt32(height)), "FT_Set_Pixel_Sizes (is this a text font?)")
    }

    /// The colour bitmap of a character, or nil where the font has none.
    func colourBitmap(_ scalar: Unicode.Scalar) throws -> ColourBitmap? {
        let index = FT_Get_Char_Index(face, FT_ULong(scalar.value))
        guard index != 0, let glyph = try load(index, clens_ft_load_color() | clens_ft_load_render()),
            let rows = BitmapRows(glyph.bitmap, FT_PIXEL_MODE_BGRA, bytesPerPixel: 4)
        else { return nil }
        var pixels = [UInt8](repeating: 0, count: rows.width * rows.height * 4)
        for y in 0..<rows.height {
            let source = rows[y]
            for x in 0..<rows.width {
                let target = (y * rows.width + x) * 4
                pixels[target] = source[x * 4 + 2]
                pixels[target + 1] = source[x * 4 + 1]
                pixels[target + 2] = source[x * 4]
                pixels[target + 3] = source[x * 4 + 3]
            }
        }
        return ColourBitmap(width: rows.width, height: rows.height, pixels: pixels)
    }

    /// Draws `text` in black over `image`, its baseline starting at (x, baseline).
    func draw(_ text: some StringProtocol, in image: inout RGBImage, x: Int, baseline: Int) throws {
        var pen = x
        for scalar in text.unicodeScalars {
            guard let glyph = try load(FT_Get_Char_Index(face, FT_ULong(scalar.value)), clens_ft_load_render()) else {
                return
            }
            // A space has no bitmap.
            if let rows = BitmapRows(glyph.bitmap, FT_PIXEL_MODE_GRAY, bytesPerPixel: 1) {
                for row in 0..<rows.height {
                    for column in 0..<rows.width {
                        image.darken(
                            x: pen + Int(glyph.bitmap_left) + column, y: baseline - Int(glyph.bitmap_top) + row,
                            coverage: rows[row][column])
                    }
                }
            }
            pen += Int(glyph.advance.x >> 6)
        }
    }

    /// The width of `text` in pixels.
    func width(of text: some StringProtocol) throws -> Int {
        try text.unicodeScalars.reduce(0) { width, scalar in
            let glyph = try load(FT_Get_Char_Index(face, FT_ULong(scalar.value)), clens_ft_load_default())
            return width + Int(glyph?.advance.x ?? 0) >> 6
        }
    }

    /// The face's one glyph slot, filled; what it points to lives until the next call.
    private func load(_ index: FT_UInt, _ flags: FT_Int32) throws -> FT_GlyphSlotRec_? {
        try check(FT_Load_Glyph(face, index, flags), "FT_Load_Glyph")
        return face?.pointee.glyph?.pointee
    }

    private func check(_ code: FT_Error, _ operation: String) throws {
        guard code == 0 else { throw InputError.fontLibrary(path: path, operation: operation, code: code) }
    }
}

/// The rows of a FreeType bitmap from top to bottom, whichever way they lie in memory.
private struct BitmapRows {
    let width: Int
    let height: Int
    private let top: UnsafePointer<UInt8>
    private let pitch: Int

    /// - Returns: nil for an empty bitmap, other pixels than `mode`, or rows shorter than their pixels.
    init?(_ bitmap: FT_Bitmap, _ mode: FT_Pixel_Mode_, bytesPerPixel: Int) {
        width = Int(bitmap.width)
        height = Int(bitmap.rows)
        pitch = Int(bitmap.pitch)
        guard UInt32(bitmap.pixel_mode) == mode.rawValue, let buffer = bitmap.buffer, width > 0, height > 0,
            abs(pitch) >= width * bytesPerPixel
        else { return nil }
        // A negative pitch means that the last row comes first in memory.
        top = UnsafePointer(pitch < 0 ? buffer - (height - 1) * pitch : buffer)
    }

    /// The first byte of a row.
    subscript(row: Int) -> UnsafePointer<UInt8> { top + row * pitch }
}
