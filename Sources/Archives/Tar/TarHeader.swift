/// One 512-byte header of a tar, in the formats ustar, GNU and that of version 7.
///
/// Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct TarHeader {
    static let blockBytes = 512

    /// What kind of entry follows; 0 and `0` are regular files.
    let kind: UInt8
    let size: Int
    /// As stored, the ustar prefix in front.
    let name: [UInt8]

    /// - Throws: `ArchiveDefect`.
    init(_ block: [UInt8]) throws(ArchiveDefect) {
        guard Self.isValid(block) else { throw .badHeaderChecksum }
        kind = block[156]
        guard let size = Self.number(block[124..<136]) else { throw .badNumber(field: "size") }
        self.size = size
        let isUstar = block[257..<263].elementsEqual(Array("ustar".utf8) + [0])
        let prefix = isUstar ? block[345..<500].prefix { $0 != 0 } : []
        let last = block[..<100].prefix { $0 != 0 }
        name = prefix.isEmpty ? Array(last) : prefix + [UInt8(ascii: "/")] + last
    }

    /// Whether the block's bytes add up to the sum that it states. Old writers add signed bytes.
    static func isValid(_ block: [UInt8]) -> Bool {
        guard block.count == blockBytes, let stated = number(block[148..<156]) else { return false }
        var (unsigned, signed) = (0, 0)
        for (position, byte) in block.enumerated() {
            let counted = (148..<156).contains(position) ? UInt8(ascii: " ") : byte
            unsigned += Int(counted)
            signed += Int(Int8(bitPattern: counted))
        }
        return stated == unsigned || stated == signed
    }

    /// A number from 0 to `Int.max`: octal digits among spaces, ended by a space, a zero byte or the
    /// field's end; or, with the first bit set, binary.
    static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        var value = 0
        if first & 0x80 != 0 {
            // The second bit is the sign.
            guard first & 0x40 == 0 else { return nil }
            for (position, byte) in field.enumerated() {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(position == 0 ? byte & 0x3F : byte)
            }
            return value
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value <= Int.max >> 3 else { return nil }
            value = value << 3 | Int(digit & 7)
        }
        return value
    }
}
