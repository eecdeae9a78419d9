import CZlib

/// The chunks of a PNG file, read one after the other with Pillow's strictness: in front of the picture
/// every checksum must be right, of the picture's own data zlib's alone, and after the picture nothing is
/// missed, not even the end.
struct PNGChunks {
    struct Chunk {
        let name: String
        /// Where the chunk begins, with its length.
        let offset: Int
        let start: Int
        let length: Int
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var place = 8
    private(set) var rules = PNGChunkRules()
    /// Bytes of the chunk of picture data at `place` that were not handed out yet.
    private var left = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Reads up to the first chunk of picture data.
    mutating func readHeader() throws(PictureFault) -> (header: PNGHeader, palette: Slice<UnsafeRawBufferPointer>?) {
        var palette: Slice<UnsafeRawBufferPointer>?
        while let chunk = try next() {
            if chunk.name == "IEND" { throw damaged("no picture data", chunk.offset) }
            if chunk.name == "IDAT", let header = rules.header {
                guard rules.firstFrameIsWhole else { throw .unsupported(.png, reason: "a first frame of another size") }
                left = chunk.length
                return (header, palette)
            }
            let body = try body(of: chunk)
            try check(chunk, body)
            guard place + 4 <= bytes.count, number(at: place) == checksum(chunk) else {
                throw damaged("wrong checksum of \(chunk.name)", chunk.offset)
            }
            place += 4
            if chunk.name == "PLTE", rules.header?.colour == .palette { palette = body }
        }
        throw .cut(.png, offset: bytes.count)
    }

    /// The most bytes handed out at a time.
    private static let piece = 1 << 16

    /// Compressed picture data, which may be spread over several chunks.
    mutating func nextData() throws(PictureFault) -> Slice<UnsafeRawBufferPointer> {
        while left == 0 {
            place += 4
            guard let chunk = try next() else { throw .cut(.png, offset: bytes.count) }
            guard chunk.name == "IDAT" else { throw .cut(.png, offset: chunk.offset) }
            left = chunk.length
        }
        let count = min(left, Self.piece, bytes.count - place)
        guard count > 0 else { throw .cut(.png, offset: bytes.count) }
        defer {
            place += count
            left -= count
        }
        return bytes[place..<place + count]
    }

    /// Looks over what stands after the picture.
    mutating func finish() throws(PictureFault) {
        place = min(bytes.count, place + left)
        while true {
            place += 4
            let chunk: Chunk?
            // What does not look like a chunk ends the file.
            do { chunk = try next() } catch { return }
            guard let chunk, chunk.name != "IEND" else { return }
            if chunk.name == "fcTL", rules.isAnimated { return }
            let body = try body(of: chunk)
            try check(chunk, body)
        }
    }

    /// The head of the chunk at `place`, which moves behind it.
    /// - Returns: nil at the end of the bytes.
    private mutating func next() throws(PictureFault) -> Chunk? {
        guard bytes.count - place >= 8 else { return nil }
        let name = bytes[place + 4..<place + 8]
        let isWord = name.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isWord else { throw damaged("no chunk", place) }
        defer { place += 8 }
        return Chunk(
            name: String(decoding: name, as: UTF8.self), offset: place, start: place + 8, length: number(at: place))
    }

    private mutating func body(of chunk: Chunk) throws(PictureFault) -> Slice<UnsafeRawBufferPointer> {
        guard chunk.length <= bytes.count - chunk.start else { throw .cut(.png, offset: chunk.offset) }
        place = chunk.start + chunk.length
        return bytes[chunk.start..<place]
    }

    private mutating func check(_ chunk: Chunk, _ body: Slice<UnsafeRawBufferPointer>) throws(PictureFault) {
        if let defect = rules.defect(of: chunk.name, body) { throw damaged("\(chunk.name): \(defect)", chunk.offset) }
    }

    private func number(at place: Int) -> Int {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Over name and body.
    private func checksum(_ chunk: Chunk) -> Int {
        let checked = UnsafeRawBufferPointer(rebasing: bytes[chunk.start - 4..<chunk.start + chunk.length])
        return Int(crc32_z(0, checked.bindMemory(to: UInt8.self).baseAddress, checked.count))
    }

    private func damaged(_ reason: String, _ offset: Int) -> PictureFault {
        .damaged(.png, reason: reason, offset: offset)
    }
}
