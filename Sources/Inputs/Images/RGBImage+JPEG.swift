import CJPEG
import Foundation

extension RGBImage {
    /// The bytes of a JPEG file, for looking at: smaller than a PNG, and not quite the same pixels.
    /// - Parameters:
    ///   - quality: libjpeg's scale, 1…100.
    ///   - path: what the picture is called in an error.
    /// - Throws: ``InputError/imageNotWritten(path:reason:)``.
    public func jpeg(quality: Int, for path: String) throws -> Data {
        precondition((1...100).contains(quality), "a JPEG quality is 1…100")
        // JPEG_MAX_DIMENSION of libjpeg.
        guard (1...65_500).contains(width), (1...65_500).contains(height) else {
            throw InputError.imageNotWritten(path: path, reason: "\(width) × \(height) pixels")
        }
        var file = cj_file()
        defer { free(file.bytes) }
        guard cj_write_rgb(pixels, width, height, Int32(quality), &file) == 0, let bytes = file.bytes else {
            throw InputError.imageNotWritten(
                path: path,
                reason: withUnsafeBytes(of: file.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return Data(bytes: bytes, count: file.count)
    }
}
