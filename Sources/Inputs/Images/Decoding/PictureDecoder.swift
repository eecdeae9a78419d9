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
