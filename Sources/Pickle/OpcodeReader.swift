/// Reads opcodes and their arguments, never beyond the end.
struct OpcodeReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position: Int
    /// Offset of the opcode that was read last, in bytes.
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, from position: Int) {
        self.bytes = bytes
        self.position = position
        offset = position
    }

    mutating func opcode() throws -> Opcode {
        offset = position
        guard let opcode = Opcode(rawValue: try byte()) else {
            throw PickleError.unknownOpcode(bytes[offset], offset: offset)
        }
        return opcode
    }

    mutating func byte() throws -> UInt8 {
        guard position < bytes.count else { throw PickleError.truncated(offset: offset) }
        defer { position += 1 }
        return bytes[position]
    }

    /// A little-endian number.
    mutating func number<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        guard bytes.count - position >= MemoryLayout<Value>.size else {
            throw PickleError.truncated(offset: offset)
        }
        defer { position += MemoryLayout<Value>.size }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    mutating func take(_ count: some BinaryInteger) throws -> UnsafeRawBufferPointer {
        guard let count = Int(exactly: count), count >= 0, count <= bytes.count - position else {
            throw PickleError.beyondEnd(
                bytes: UInt64(clamping: count), available: bytes.count - position, offset: offset)
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    /// The bytes up to a newline, which is passed over.
    mutating func line() throws -> UnsafeRawBufferPointer {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw PickleError.truncated(offset: offset)
        }
        defer { position = end + 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<end])
    }
}
