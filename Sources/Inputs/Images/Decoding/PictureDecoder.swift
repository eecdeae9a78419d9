import Foundation
import Foundations

/// PNG and JPEG files to 8-bit RGB, each byte as Pillow's `Image.open(file).convert("RGB")` gives it.
///
/// As there, transparency is dropped and not composed, 16-bit grey above 255 becomes 255 while 16-bit
/// colours keep their upper byte, CMYK is taken for inverted and mixed without a profile; EXIF orientation,
/// gamma and ICC profiles are ignored, and of an animated PNG the first frame is read.
///
/// Colours are converted first and resized after, as in torchvision's data sets (whose loader converts) and
/// in `CLIPImageProcessor`. CLIP's own transform, given a picture that nobody converted, resizes first:
/// that differs for CMYK, palettes, transparency and 16 bits.
public enum PictureDecoder {
    /// A picture and what is known of its file.
    public struct Picture: Sendable, Equatable {
        public let image: RGBImage
        public let format: PictureFormat
        /// The first thing that was wrong with the file and made up for, such as damaged data in the
        /// middle of a JPEG file; nil where nothing was. Pillow says nothing of it.
        public let warning: String?
    }

    /// Scans of a progressive JPEG file at most: encoders write about ten, and the time that a file takes
    /// is in proportion.
    public static let mostScans = 100

    /// - Parameter name: what the picture is called in an error.
    /// - Throws: ``InputError/pictureRefused(name:fault:)``.
    public static func decode(_ bytes: Data, name: String, limit: PixelLimit = .standard) throws(InputError) -> RGBImage
    {
        do {
            return try picture(bytes, limit: limit).image
        } catch {
            throw InputError.pictureRefused(name: name, fault: error)
        }
    }

    public static func picture(_ bytes: Data, limit: PixelLimit = .standard) throws(PictureFault) -> Picture {
        try bytes.withRawBytes { (bytes) throws(PictureFault) in try picture(bytes, limit: limit) }
    }

    /// Keeps nothing between calls: any number of threads may decode.
    public static func picture(
        _ bytes: UnsafeRawBufferPointer, limit: PixelLimit = .standard
    ) throws(PictureFault) -> Picture {
        switch try readableFormat(of: bytes) {
        case .jpeg: try JPEGFile.picture(bytes, limit: limit)
        default: Picture(image: try PNGFile(bytes, limit: limit).rgb(), format: .png, warning: nil)
        }
    }

    /// Looks at the first bytes only.
    /// - Parameter name: what the picture is called in an error.
    /// - Throws: ``InputError/pictureRefused(name:fault:)`` for a format that is not read.
    static func checkFormat(_ bytes: Data, name: String) throws(InputError) {
        do {
            _ = try bytes.withRawBytes { (bytes) throws(PictureFault) in try readableFormat(of: bytes) }
        } catch {
            throw InputError.pictureRefused(name: name, fault: error)
        }
    }

    static func readableFormat(of bytes: UnsafeRawBufferPointer) throws(PictureFault) -> PictureFormat {
        guard !bytes.isEmpty else { throw .empty }
        guard let format = PictureFormat(bytes) else { throw .unknownFormat }
        guard PictureFormat.readable.contains(format) else { throw .unreadableFormat(format) }
        return format
    }
}

extension RGBImage {
    /// Reads a PNG or JPEG file.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/imageNotRead(path:reason:)`` for
    ///   what is no regular file, ``InputError/pictureRefused(name:fault:)``.
    public init(contentsOf url: URL, limit: PixelLimit = .standard) throws(InputError) {
        let data: Data
        do {
            data = try RegularFile.contents(of: url.path, limit: limit.fileBytes)
        } catch .missing {
            throw InputError.missingFile(path: url.path, purpose: "a picture")
        } catch {
            throw InputError.imageNotRead(path: url.path, reason: error.text)
        }
        self = try PictureDecoder.decode(data, name: url.path, limit: limit)
    }
}

extension Data {
    /// `withUnsafeBytes` that keeps the type of the error.
    func withRawBytes<Value, Fault: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Fault) -> Value
    ) throws(Fault) -> Value {
        let result = withUnsafeBytes { bytes in
            Result<Value, Fault> { () throws(Fault) in try body(bytes) }
        }
        return try result.get()
    }
}

/// Why bytes are not read as a picture. Facts only; offsets are in bytes from the beginning.
public enum PictureFault: Error, Equatable, Sendable {
    /// Not one byte.
    case empty
    /// The bytes begin like no format of pictures that is known.
    case unknownFormat
    /// A format that is recognised but not read.
    case unreadableFormat(PictureFormat)
    /// The header states more than is allowed; nothing was decoded, and no memory taken for it.
    case tooLarge(width: Int, height: Int, limit: PixelLimit)
    /// The bytes end before the picture does.
    case cut(PictureFormat, offset: Int)
    case damaged(PictureFormat, reason: String, offset: Int)
    /// A sound file of a kind that is not read.
    case unsupported(PictureFormat, reason: String)
    /// There was no memory for the decoder.
    case noMemory(PictureFormat)
}

extension PictureFault {
    /// For the reason of an error that names the picture.
    public var text: String {
        switch self {
        case .empty: "an empty file"
        case .unknownFormat: "not a PNG or JPEG file"
        case .unreadableFormat(let format): "a \(format.rawValue) file, not PNG or JPEG"
        case .tooLarge(let width, let height, let limit):
            "\(width)×\(height) pixels, more than \(limit.pixels) in all or \(limit.side) a side"
        case .cut(let format, let offset): "\(format.rawValue) cut at byte \(offset)"
        case .damaged(let format, let reason, let offset): "\(format.rawValue) damaged at byte \(offset): \(reason)"
        case .unsupported(let format, let reason): "\(format.rawValue) with \(reason)"
        case .noMemory(let format): "no memory to decode \(format.rawValue)"
        }
    }
}

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
