import CZlib

/// Decompression of deflated bytes (RFC 1951) in memory, never to more than a limit.
public enum Inflation {
    public enum Fault: Error, Equatable {
        /// The bytes end before the stream does.
        case truncated
        /// Not deflated data, a wrong checksum or length, or bytes after the last member of gzip.
        case damaged
        /// - Parameter limit: in bytes.
        case tooLarge(limit: Int)
    }

    private static let blockLength = 1 << 16

    /// The bytes of a zlib stream (RFC 1950); what follows it is passed over.
    /// - Parameter limit: of the decompressed bytes.
    public static func zlib(_ bytes: ArraySlice<UInt8>, limit: Int) throws(Fault) -> [UInt8] {
        var stream = z_stream()
        guard clens_inflate_init(&stream) == Z_OK else { throw .damaged }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var rest = bytes
        try appendStream(&stream, &rest, to: &output, limit: limit)
        return output
    }

    /// The bytes of gzip, whose members one after the other are one text (RFC 1952, section 2.2).
    /// - Parameter limit: of the decompressed bytes.
    public static func gzip(_ bytes: [UInt8], limit: Int) throws(Fault) -> [UInt8] {
        var stream = z_stream()
        guard clens_inflate_init_gzip(&stream) == Z_OK else { throw .damaged }
        defer { inflateEnd(&stream) }
        var output: [UInt8] = []
        var rest = bytes[...]
        repeat {
            try appendStream(&stream, &rest, to: &output, limit: limit)
            guard inflateReset(&stream) == Z_OK else { throw .damaged }
        } while !rest.isEmpty
        return output
    }

    public static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

    /// Decompresses to the end of one stream, and takes its bytes from the beginning of `rest`.
    private static func appendStream(
        _ stream: inout z_stream, _ rest: inout ArraySlice<UInt8>, to output: inout [UInt8], limit: Int
    ) throws(Fault) {
        var block = [UInt8](repeating: 0, count: blockLength)
        while true {
            let (result, read, written) = inflateBlock(&stream, rest, into: &block)
            rest.removeFirst(read)
            guard output.count + written <= limit else { throw .tooLarge(limit: limit) }
            output.append(contentsOf: block[..<written])
            switch result {
            case Z_STREAM_END: return
            case Z_OK:
                // Neither end nor output: it waits for bytes that do not come.
                if rest.isEmpty, written < blockLength { throw .truncated }
            case Z_BUF_ERROR where rest.isEmpty: throw .truncated
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
