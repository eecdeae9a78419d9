import Foundation

/// What a file name and the first bytes of a picture say.
enum PictureFile {
    /// Extensions that decoders here read, in lower case.
    static let supported: Set<String> = ["jpg", "jpeg", "png"]
    /// Those of other pictures, which data sets of strangers hold.
    private static let unsupported: Set<String> = [
        "webp", "bmp", "gif", "tif", "tiff", "ppm", "pgm", "avif", "heic", "jp2",
    ]

    /// Whether a file is called a picture, be it of a format that decoders here read or not: leaving one out in
    /// silence would change every number of the set.
    static func isPicture(_ name: String) -> Bool {
        let file = name.utf8.split(separator: UInt8(ascii: "/")).last ?? name.utf8[...]
        // macOS leaves `._NAME` beside each NAME of an archive.
        guard !file.starts(with: "._".utf8), let dot = file.lastIndex(of: UInt8(ascii: ".")) else { return false }
        let ending = Substring(file[file.index(after: dot)...]).lowercased()
        return supported.contains(ending) || unsupported.contains(ending)
    }

    /// Width and height by the header of a PNG or JPEG file; nil for anything else.
    static func size(of data: [UInt8]) -> (width: Int, height: Int)? {
        data.withUnsafeBytes { bytes in
            bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) ? pngSize(bytes) : jpegSize(bytes)
        }
    }

    private static func pngSize(_ bytes: UnsafeRawBufferPointer) -> (Int, Int)? {
        guard bytes.count >= 24, bytes[12..<16].elementsEqual("IHDR".utf8) else { return nil }
        return sides(bytes[16..<20].reduce(0) { $0 << 8 | Int($1) }, bytes[20..<24].reduce(0) { $0 << 8 | Int($1) })
    }

    /// ITU T.81, B.2.2: the frame header SOFn holds length, precision, lines, samples a line.
    private static func jpegSize(_ bytes: UnsafeRawBufferPointer) -> (Int, Int)? {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        func number(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
        var place = 2
        while place + 9 <= bytes.count {
            guard bytes[place] == 0xFF else { return nil }
            switch bytes[place + 1] {
            case 0xFF: place += 1  // fill byte
            case 0x01, 0xD0...0xD7: place += 2  // markers without a segment
            case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF: return sides(number(place + 7), number(place + 5))
            case 0xD9, 0xDA: return nil
            default: place += 2 + max(number(place + 2), 2)
            }
        }
        return nil
    }

    private static func sides(_ width: Int, _ height: Int) -> (Int, Int)? {
        width > 0 && height > 0 ? (width, height) : nil
    }
}

extension LabelMask {
    /// - Parameters:
    ///   - path: of the mask.
    ///   - place: of the picture.
    /// - Throws: ``DataSetError/maskOfAnotherSize(path:picture:mask:image:)``, ``InputError/imageNotRead(path:reason:)``
    ///   where the picture has no header of a PNG or JPEG file.
    func checked(against picture: [UInt8], path: String, id: String, place: String) throws -> LabelMask {
        guard let size = PictureFile.size(of: picture) else {
            throw InputError.imageNotRead(path: place, reason: "neither a PNG nor a JPEG file")
        }
        return try checked(width: size.width, height: size.height, path: path, id: id)
    }

    func checked(width: Int, height: Int, path: String, id: String) throws -> LabelMask {
        guard (self.width, self.height) == (width, height) else {
            throw DataSetError.maskOfAnotherSize(
                path: path, picture: id, mask: [self.width, self.height], image: [width, height])
        }
        return self
    }
}

extension LabelMask {
    /// The numbers that a PNG file holds for its pixels, such as indices of a palette.
    /// - Parameter path: for errors.
    /// - Throws: ``InputError/pictureRefused(name:fault:)``; ``InputError/imageNotRead(path:reason:)`` for
    ///   samples that are not of the coding.
    init(png bytes: [UInt8], coding: RawSamples.LabelCoding, path: String) throws {
        let samples = try RawSamples(png: Data(bytes), name: path)
        guard let labels = samples.labels(coding) else {
            throw InputError.imageNotRead(
                path: path,
                reason: "\(samples.channels) samples of \(samples.bits) bits a pixel, which is no mask of this data set"
            )
        }
        self.init(width: samples.width, height: samples.height, labels: labels)
    }

    /// A mask whose numbers are this module's, but for the one that is ignored.
    /// - Throws: as ``init(png:coding:path:)``, ``DataSetError/labelOutOfRange(path:place:label:classes:)``.
    init(indexPNG bytes: [UInt8], path: String, ignored: UInt16?, classes: Int, picture: String) throws {
        self = try LabelMask(png: bytes, coding: .index, path: path).renumbered(
            path: path, picture: picture, classes: classes
        ) {
            $0 == ignored ? LabelMask.ignored : $0 <= classes ? $0 : nil
        }
    }
}
