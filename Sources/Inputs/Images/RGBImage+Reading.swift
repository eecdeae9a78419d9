import CPNG
import Foundation

extension RGBImage {
    /// Reads a PNG file of any colour type and depth as 8-bit RGB.
    ///
    /// Transparency is dropped, not composed over a ground: that is what Pillow's `convert("RGB")` does,
    /// and so a picture is the one that CLIP's reference preprocessing sees. A gamma that the file states
    /// is converted to sRGB's; 16-bit values without one are taken as sRGB.
    /// - Parameter largest: the most pixels a side, judged by the header before anything is decoded.
    /// - Throws: ``InputError/missingFile(path:purpose:)``, ``InputError/imageNotRead(path:reason:)`` for
    ///   what is no regular file, no PNG, cut or damaged, ``InputError/imageTooLarge(path:width:height:largest:)``.
    public init(contentsOfPNG url: URL, largest: Int) throws {
        let data: Data
        do {
            data = try RegularFile.contents(of: url.path, limit: Self.bytes(ofPNGWithSide: largest))
        } catch .missing {
            throw InputError.missingFile(path: url.path, purpose: "a picture")
        } catch {
            throw InputError.imageNotRead(path: url.path, reason: error.text)
        }
        try self.init(png: data, path: url.path, largest: largest)
    }

    /// More bytes than a sensible PNG file of `largest` pixels a side has: 16-bit RGBA that no
    /// compression makes smaller, and 1 MiB of other chunks.
    static func bytes(ofPNGWithSide largest: Int) -> Int {
        precondition((1...1 << 20).contains(largest), "libpng takes no larger pictures")
        return 8 * largest * largest + 1 << 20
    }

    /// - Parameter path: for the errors only.
    init(png data: Data, path: String, largest: Int) throws {
        func failure(_ reason: String) -> InputError { .imageNotRead(path: path, reason: reason) }
        if let defect = PNGChunks.defect(of: data) { throw failure(defect) }
        var image = png_image()
        image.version = clens_png_image_version()
        defer { png_image_free(&image) }
        let pixels = try data.withUnsafeBytes { bytes in
            guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
                throw failure(image.text)
            }
            let (width, height) = (Int(image.width), Int(image.height))
            guard width <= largest, height <= largest else {
                throw InputError.imageTooLarge(path: path, width: width, height: height, largest: largest)
            }
            image.format = clens_png_format_rgba()
            image.flags |= clens_png_16bit_srgb()
            var pixels = [UInt8](repeating: 0, count: width * height * 4)
            guard png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else { throw failure(image.text) }
            return pixels
        }
        var colours: [UInt8] = []
        colours.reserveCapacity(pixels.count / 4 * 3)
        for offset in stride(from: 0, to: pixels.count, by: 4) { colours += pixels[offset..<offset + 3] }
        self.init(width: Int(image.width), height: Int(image.height), pixels: colours)
    }
}

/// The outer structure of a PNG file. libpng lets a file without its end and damaged chunks of minor
/// importance pass; here every byte has to be what its writer wrote.
private enum PNGChunks {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// What is wrong with the chunks; nil when they are whole. Bytes after the last chunk do not matter.
    static func defect(of data: Data) -> String? {
        guard data.starts(with: signature) else { return "not a PNG file" }
        return data.withUnsafeBytes { bytes in
            var place = signature.count
            while bytes.count - place >= 12 {
                let length = number(bytes, place)
                guard length <= bytes.count - place - 12 else { return "cut in the chunk at byte \(place)" }
                let body = bytes[place + 4..<place + 8 + length]
                guard checksum(body) == number(bytes, place + 8 + length) else {
                    return "damaged in the chunk at byte \(place)"
                }
                if body.prefix(4).elementsEqual("IEND".utf8) { return nil }
                place += 12 + length
            }
            return "cut at byte \(bytes.count)"
        }
    }

    /// A big-endian number of four bytes.
    private static func number(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// CRC-32 as in ISO 3309, polynomial 0xEDB88320.
    private static func checksum(_ bytes: Slice<UnsafeRawBufferPointer>) -> Int {
        Int(~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 })
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }
}
