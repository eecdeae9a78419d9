import CZlib

/// Decompresses gzip in memory, never to more than a limit.
///
/// Several members one after the other are one text, as in RFC 1952, §2.2.
enum Gzip {
    enum Fault: Error, Equatable {
        /// The bytes end before the last member does.
        case truncated
        /// Not deflated data, a wrong check sum or length, or bytes after the last member.
        case damaged
        case tooLarge(limitInBytes: Int)
    }

    private static let magic: [UInt8] = [0x1F, 0x8B]
    private static let blockLength = 1 << 16

    static func isCompressed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

    static func decompressed(_ bytes: [UInt8], limit: Int) throws(Fault) -> [UInt8] {
        var stream = z_stream()
        guard clens_inflate_init_gzip(&stream) == Z_OK else { throw .damaged }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var consumed = 0
        var block = [UInt8](repeating: 0, count: blockLength)
        while true {
            let (result, read, written) = inflateBlock(&stream, bytes[consumed...], into: &block)
            consumed += read
            guard output.count + written <= limit else { throw .tooLarge(limitInBytes: limit) }
            output.append(contentsOf: block[..<written])
            switch result {
            case Z_STREAM_END:
                if consumed == bytes.count { return output }
                guard inflateReset(&stream) == Z_OK else { throw .damaged }
            case Z_OK:
                // Neither end nor output: it waits for bytes that do not come.
                if consumed == bytes.count, written < blockLength { throw .truncated }
            case Z_BUF_ERROR where consumed == bytes.count: throw .truncated
            default: throw .damaged
            }
        }
    }

    /// - Returns: zlib's code, and how many bytes it has read and written.
    private static func inflateBlock(
        _ stream: inout z_stream, _ input: ArraySlice<UInt8>, into block: inout [UInt8]
    ) -> (result: Int32, read: Int, written: Int) {
        let available = min(input.count, Int(UInt32.max))
        return input.withUnsafeBufferPointer { source in
            block.withUnsafeMutableBufferPointer { target in
                // zlib's older headers want the input mutable; it is not changed.
                stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                stream.avail_in = UInt32(available)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                let result = inflate(&stream, Z_NO_FLUSH)
                return (result, available - Int(stream.avail_in), target.count - Int(stream.avail_out))
            }
        }
    }
}
