/// Little-endian numbers in the records of a zip file.
struct ZipFields {
    let bytes: ArraySlice<UInt8>

    /// The two bytes at `offset`, which the caller knows to be there.
    func short(_ offset: Int) -> Int {
        let start = bytes.startIndex + offset
        return Int(bytes[start]) | Int(bytes[start + 1]) << 8
    }

    func word(_ offset: Int) -> Int {
        short(offset) | short(offset + 2) << 16
    }

    /// Nil beyond `Int.max`.
    func long(_ offset: Int) -> Int? {
        let value = UInt64(word(offset)) | UInt64(word(offset + 4)) << 32
        return Int(exactly: value)
    }
}

enum ZipSignature {
    static let localHeader = 0x0403_4B50
    static let directoryEntry = 0x0201_4B50
    static let end = 0x0605_4B50
    static let end64 = 0x0606_4B50
    static let end64Locator = 0x0706_4B50
}

enum ZipMethod {
    static let stored = 0
    static let deflated = 8
}

/// A local header for libarchive's reader: of a file called `-` whose sizes and CRC are known.
///
/// It stands in for the archive's own header, which may leave sizes and CRC to a record behind the data.
func zipLocalHeader(deflatedBytes: UInt32, size: UInt32, crc32: UInt32) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
    var header = bytes(UInt32(ZipSignature.localHeader))
    header += bytes(UInt16(20)) + bytes(UInt16(0)) + bytes(UInt16(ZipMethod.deflated))
    header += [0, 0, 0x21, 0]  // midnight of 1 January 1980
    header += bytes(crc32) + bytes(deflatedBytes) + bytes(size)
    header += bytes(UInt16(1)) + bytes(UInt16(0)) + [UInt8(ascii: "-")]
    return header
}
