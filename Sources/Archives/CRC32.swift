/// The cyclic redundancy check of zip files: polynomial 0xEDB88320, reflected.
struct CRC32 {
    private var register: UInt32 = 0xFFFF_FFFF

    /// The check of all bytes so far.
    var value: UInt32 { ~register }

    /// `tables[k][b]` advances the check by byte `b` and k zero bytes.
    private static let tables: [[UInt32]] = {
        var tables = [
            (0..<256).map { byte in
                (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
            }
        ]
        for _ in 1..<8 {
            let last = tables[tables.count - 1]
            tables.append(last.map { $0 >> 8 ^ tables[0][Int($0 & 0xFF)] })
        }
        return tables
    }()
    private static let flat = tables.flatMap { $0 }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        var check = CRC32()
        check.update(bytes)
        return check.value
    }

    /// Goes on over `bytes`, eight of them at a time.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        register = Self.flat.withUnsafeBufferPointer { table in
            var value = register
            var position = 0
            while bytes.count - position >= 8 {
                let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)) ^ value
                let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
                let first =
                    table[1792 + Int(low & 0xFF)] ^ table[1536 + Int(low >> 8 & 0xFF)]
                    ^ table[1280 + Int(low >> 16 & 0xFF)] ^ table[1024 + Int(low >> 24)]
                let second =
                    table[768 + Int(high & 0xFF)] ^ table[512 + Int(high >> 8 & 0xFF)]
                    ^ table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                value = first ^ second
                position += 8
            }
            while position < bytes.count {
                value = value >> 8 ^ table[Int(UInt8(truncatingIfNeeded: value) ^ bytes[position])]
                position += 1
            }
            return value
        }
    }
}
