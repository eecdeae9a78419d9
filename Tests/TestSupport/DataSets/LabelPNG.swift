import CZlib
import Foundation

/// A mask as a PNG file of one 8-bit grey number a pixel.
public enum LabelPNG {
    /// - Parameter labels: row-major. // [height, width]
    public static func data(width: Int, height: Int, _ labels: [UInt8]) -> Data {
        precondition(labels.count == width * height, "a mask needs a number a pixel")
        // PNG (third edition), 11.2.2: bit depth 8, colour type 0, no interlacing; each line begins with its filter.
        let header = bigEndian(width) + bigEndian(height) + [8, 0, 0, 0, 0]
        let lines = (0..<height).flatMap { [0] + labels[$0 * width..<($0 + 1) * width] }
        return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
            + chunk("IHDR", header) + chunk("IDAT", stored(lines)) + chunk("IEND", [])
    }

    private static func chunk(_ name: String, _ contents: [UInt8]) -> Data {
        let body = Array(name.utf8) + contents
        return Data(bigEndian(contents.count) + body + bigEndian(Int(crc32(0, body, UInt32(body.count)))))
    }

    /// A zlib stream of one stored block (RFC 1950, RFC 1951).
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        precondition(bytes.count < 1 << 16, "a stored block has a length of 16 bits")
        let count = UInt16(bytes.count)
        let length = [count, ~count].flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
        return [0x78, 0x01, 1] + length + bytes + bigEndian(Int(adler32(1, bytes, UInt32(bytes.count))))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}
