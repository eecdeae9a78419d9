import CJPEG
import CPNG
import Foundation
import Foundations

/// 8-bit RGB pixels, row-major. // [height, width, 3]
public struct RGBImage: Sendable, Equatable {
    public let width: Int
    public let height: Int
    public var pixels: [UInt8]

    /// An image of one grey value.
    public init(width: Int, height: Int, grey: UInt8 = 255) {
        self.width = width
        self.height = height
        pixels = [UInt8](repeating: grey, count: width * height * 3)
    }

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3, "an RGB image needs width × height × 3 bytes")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Copies `image`, enlarged `scale` times by repetition, with its corner at (x, y). What hangs over is cut.
    public mutating func paste(_ image: RGBImage, x: Int, y: Int, scale: Int = 1) {
        for row in 0..<image.height * scale where y + row >= 0 && y + row < height {
            for column in 0..<image.width * scale where x + column >= 0 && x + column < width {
                let source = ((row / scale) * image.width + column / scale) * 3
                let target = ((y + row) * width + x + column) * 3
                for c in 0..<3 { pixels[target + c] = image.pixels[source + c] }
            }
        }
    }

    /// Mixes black into one pixel; ignored outside the image.
    mutating func darken(x: Int, y: Int, coverage: UInt8) {
        guard x >= 0, x < width, y >= 0, y < height else { return }
        for c in 0..<3 {
            let offset = (y * width + x) * 3 + c
            pixels[offset] = UInt8(Int(pixels[offset]) * (255 - Int(coverage)) / 255)
        }
    }

    /// Writes a PNG file, replacing an old one only when the new one is complete.
    /// - Throws: ``InputError/imageNotWritten(path:reason:)``, `OutputError`.
    public func writePNG(to url: URL) throws {
        try OutputFolder.write(png(for: url.path), to: url)
    }

    /// The bytes of a PNG file.
    /// - Parameter path: what the picture is called in an error.
    /// - Throws: ``InputError/imageNotWritten(path:reason:)``.
    public func png(for path: String) throws -> Data {
        var image = png_image()
        image.version = clens_png_image_version()
        image.width = UInt32(width)
        image.height = UInt32(height)
        image.format = clens_png_format_rgb()
        var size: png_alloc_size_t = 0
        guard png_image_write_to_memory(&image, nil, &size, 0, pixels, 0, nil) != 0 else {
            throw InputError.imageNotWritten(path: path, reason: image.text)
        }
        var data = Data(count: Int(size))
        let written = data.withUnsafeMutableBytes {
            png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels, 0, nil)
        }
        guard written != 0 else { throw InputError.imageNotWritten(path: path, reason: image.text) }
        return data.prefix(Int(size))
    }
}

extension png_image {
    /// What libpng has to say of its last call.
    var text: String {
        withUnsafeBytes(of: message) { bytes in
            String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
        }
    }
}

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

/// One picture that lies by itself.
public struct PictureOnDisk: Sendable {
    public let image: RGBImage
    /// SHA-256 of the file.
    public let sha256: String

    /// Reads a PNG or JPEG file.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/imageNotRead(path:reason:)``,
    ///   ``InputError/pictureRefused(name:fault:)``.
    public init(contentsOf url: URL) throws {
        let bytes: Data
        do {
            bytes = try RegularFile.contents(of: url.path, limit: FileLimit.picture)
        } catch .missing {
            throw InputError.missingFile(path: url.path, purpose: "the picture to look at")
        } catch {
            throw InputError.imageNotRead(path: url.path, reason: error.text)
        }
        image = try PictureDecoder.decode(bytes, name: url.path)
        sha256 = Digest.sha256(of: bytes)
    }
}
