import CZlib

/// zlib's stream of a PNG picture's data.
struct PNGInflation {
    /// Has a place of its own: zlib remembers where it is.
    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(PictureFault) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard clens_inflate_init(stream) == Z_OK else {
            stream.deallocate()
            throw .noMemory(.png)
        }
    }

    func end() {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Fills `count` bytes at `target`.
    /// - Returns: whether the stream ends with them.
    func fill(
        _ target: UnsafeMutablePointer<UInt8>, count: Int, from chunks: inout PNGChunks
    ) throws(PictureFault) -> Bool {
        stream.pointee.next_out = target
        stream.pointee.avail_out = uInt(count)
        while true {
            if stream.pointee.avail_in == 0 {
                let data = UnsafeRawBufferPointer(rebasing: try chunks.nextData()).bindMemory(to: UInt8.self)
                // zlib only reads, whatever the type says.
                stream.pointee.next_in = UnsafeMutablePointer(mutating: data.baseAddress)
                stream.pointee.avail_in = uInt(data.count)
            }
            let status = inflate(stream, Z_NO_FLUSH)
            guard status >= Z_OK else {
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's error \(status)"
                throw .damaged(.png, reason: reason, offset: chunks.place - Int(stream.pointee.avail_in))
            }
            if stream.pointee.avail_out == 0 { return status == Z_STREAM_END }
            // The stream ended, or wants a dictionary, in the middle of a row: more bytes do not help.
            guard status == Z_OK else { throw .cut(.png, offset: chunks.place - Int(stream.pointee.avail_in)) }
        }
    }
}
