/// How large a picture may be, checked on its header before anything else.
public struct PixelLimit: Equatable, Sendable {
    /// Width × height.
    public var pixels: Int
    /// Pixels of the longer side.
    public var side: Int

    public init(pixels: Int, side: Int = 65_535) {
        precondition(pixels > 0 && (1...1 << 24).contains(side), "a picture has pixels")
        self.pixels = pixels
        self.side = side
    }

    /// Squares of `side` pixels and what fits into them.
    public init(side: Int) { self.init(pixels: side * side, side: side) }

    /// 2²⁶ pixels, 8192 × 8192, and a side that JPEG can state. One picture so takes 192 MiB of RGB and,
    /// where it is progressive, 384 MiB of coefficients (twice that if it is CMYK as well) while it is
    /// decoded; photographs of the usual data sets have less than half of that, and Pillow warns from 85 · 2²⁰ on.
    public static let standard = PixelLimit(pixels: 1 << 26)

    /// More bytes than a sensible file of that many pixels has: 16-bit RGBA that no compression makes
    /// smaller, and 16 MiB of other things.
    public var fileBytes: Int { 8 * pixels + 1 << 24 }

    /// - Throws: ``PictureFault/tooLarge(width:height:limit:)``.
    func check(width: Int, height: Int) throws(PictureFault) {
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        guard max(width, height) <= side, !overflow, product <= pixels else {
            throw .tooLarge(width: width, height: height, limit: self)
        }
    }
}
