import CZlib

/// Decompression of zlib streams (RFC 1950) into memory, by no more than is allowed.
enum Inflate {
    enum Fault: Error, Equatable {
        /// Damaged, cut, or with another checksum than its bytes have.
        case damaged
        case longerThan(Int)
    }

    /// - Parameter limit: of the decompressed bytes.
    static func zlib(_ compressed: ArraySlice<UInt8>, limit: Int) throws(Fault) -> [UInt8] {
        // zlib counts in 32 bits; pieces of files read here are far smaller.
        guard compressed.count <= Int(UInt32.max) / 2 else { throw .longerThan(limit) }
        var stream = z_stream()
        guard clens_inflate_init(&stream) == Z_OK else { throw .damaged }
        defer { inflateEnd(&stream) }
        // No byte of deflate becomes more than 1032 bytes.
        let most = min(limit, compressed.count.multipliedReportingOverflow(by: 1032).partialValue)
        var output: [UInt8] = []
        var status = Z_OK
        compressed.withUnsafeBytes { input in
            // zlib does not write to its input, but says so only in its documentation.
            stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
            stream.avail_in = UInt32(input.count)
            while status == Z_OK, output.count <= most {
                let filled = output.count
                // One byte beyond the limit tells a stream that ends there from a longer one.
                let size = min(max(2 * filled, 4 * input.count, 1 << 12), most + 1)
                guard size > filled else { break }
                output.append(contentsOf: repeatElement(0, count: size - filled))
                output.withUnsafeMutableBytes { buffer in
                    let free = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    let taken = min(free.count, 1 << 30)
                    stream.next_out = free.bindMemory(to: UInt8.self).baseAddress
                    stream.avail_out = UInt32(taken)
                    status = inflate(&stream, Z_NO_FLUSH)
                }
                output.removeLast(output.count - Int(stream.total_out))
                // Neither input nor room was used up: the stream wants what is not there.
                if status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) { break }
            }
        }
        guard output.count <= limit else { throw .longerThan(limit) }
        guard status == Z_STREAM_END else { throw .damaged }
        return output
    }
}
