import CFreeType

/// One face of a font file, drawn by FreeType. Confined to the thread that made it.
final class FontFace {
    let path: String
    private var library: FT_Library?
    private var face: FT_Face?

    init(path: String) throws {
        self.path = path
        try check(FT_Init_FreeType(&library), "FT_Init_FreeType")
        try check(FT_New_Face(library, path, 0, &face), "FT_New_Face")
    }

    deinit {
        if let face { FT_Done_Face(face) }
        if let library { FT_Done_FreeType(library) }
    }

    /// Chooses one of the sizes of a bitmap font.
    func selectStrike(_ index: Int32) throws {
        try check(FT_Select_Size(face, index), "FT_Select_Size (is this a colour bitmap font?)")
    }

    /// Sets the size of an outline font in pixels.
    func setPixelHeight(_ height: Int) throws {
        try check(FT_Set_Pixel_Sizes(face, 0, UInt32(height)), "FT_Set_Pixel_Sizes")
    }

    /// The colour bitmap of a character, or nil where the font has none.
    func colourBitmap(_ scalar: Unicode.Scalar) throws -> ColourBitmap? {
        let index = FT_Get_Char_Index(face, FT_ULong(scalar.value))
        guard index != 0, let face else { return nil }
        try check(FT_Load_Glyph(face, index, clens_ft_load_color() | clens_ft_load_render()), "FT_Load_Glyph")
        let bitmap = face.pointee.glyph.pointee.bitmap
        guard Int32(bitmap.pixel_mode) == Int32(FT_PIXEL_MODE_BGRA.rawValue), let buffer = bitmap.buffer else { return nil }
        let (width, height, pitch) = (Int(bitmap.width), Int(bitmap.rows), Int(bitmap.pitch))
        var pixels = [UInt8](repeating: 0, count: width * height * 4)
        for y in 0..<height {
            for x in 0..<width {
                let source = y * pitch + x * 4
                let target = (y * width + x) * 4
                pixels[target] = buffer[source + 2]
                pixels[target + 1] = buffer[source + 1]
                pixels[target + 2] = buffer[source]
                pixels[target + 3] = buffer[source + 3]
            }
        }
        return ColourBitmap(width: width, height: height, pixels: pixels)
    }

    /// Draws `text` in black over `image`, its baseline starting at (x, baseline).
    /// - Returns: the x coordinate after the text.
    @discardableResult
    func draw(_ text: String, in image: inout RGBImage, x: Int, baseline: Int) throws -> Int {
        guard let face else { return x }
        var pen = x
        for scalar in text.unicodeScalars {
            let index = FT_Get_Char_Index(face, FT_ULong(scalar.value))
            try check(FT_Load_Glyph(face, index, clens_ft_load_render()), "FT_Load_Glyph")
            let glyph = face.pointee.glyph.pointee
            let bitmap = glyph.bitmap
            if let buffer = bitmap.buffer {
                for row in 0..<Int(bitmap.rows) {
                    for column in 0..<Int(bitmap.width) {
                        image.darken(
                            x: pen + Int(glyph.bitmap_left) + column, y: baseline - Int(glyph.bitmap_top) + row,
                            coverage: buffer[row * Int(bitmap.pitch) + column])
                    }
                }
            }
            pen += Int(glyph.advance.x >> 6)
        }
        return pen
    }

    /// The width of `text` in pixels.
    func width(of text: String) throws -> Int {
        var nothing = RGBImage(width: 0, height: 0)
        return try draw(text, in: &nothing, x: 0, baseline: 0)
    }

    private func check(_ code: FT_Error, _ operation: String) throws {
        guard code == 0 else { throw InputError.fontLibrary(path: path, operation: operation, code: code) }
    }
}
