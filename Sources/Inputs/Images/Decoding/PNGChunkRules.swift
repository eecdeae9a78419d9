/// What Pillow asks of the chunks that it knows. It refuses a picture for a defect of any of them, also of
/// those that have no part in its pixels; compressed texts and profiles alone are not looked into here.
struct PNGChunkRules {
    private(set) var header: PNGHeader?
    private var frames: Int?
    private var sequence: Int?
    /// The part of the picture that the first frame fills, if a chunk in front of the picture says so.
    private var frame: [Int]?

    var firstFrameIsWhole: Bool {
        guard let header, let frame else { return true }
        return frame == [header.width, header.height, 0, 0]
    }

    /// A picture outside the animation counts as one more.
    var isAnimated: Bool { (frames ?? 1) + (frames != nil && frame == nil ? 1 : 0) > 1 }

    /// - Returns: what is wrong with a chunk; nil where nothing is, or nobody knows the chunk.
    mutating func defect(of name: String, _ body: Slice<UnsafeRawBufferPointer>) -> String? {
        if let least = leastBytes(of: name), body.count < least { return "\(body.count) bytes, fewer than \(least)" }
        switch name {
        case "IHDR":
            if let found = PNGHeader(body) { header = found }
            return body[body.startIndex + 11] == 0 ? nil : "unknown filter category"
        case "iCCP":
            // The name may lack its end; then it is the first byte that is taken for the method.
            let end = body.firstIndex(of: 0).map { $0 + 1 } ?? body.startIndex
            return end < body.endIndex && body[end] == 0 ? nil : "unknown compression method"
        case "zTXt":
            guard let end = body.firstIndex(of: 0), end + 1 < body.endIndex else { return nil }
            return body[end + 1] == 0 ? nil : "unknown compression method"
        case "acTL":
            let count = number(body, 0)
            if frames != nil { frames = nil } else if (1...0x8000_0000).contains(count) { frames = count }
            return nil
        case "fcTL":
            return frameDefect(body)
        case "fdAT":
            guard let sequence, number(body, 0) == sequence + 1 else { return "frame out of order" }
            self.sequence = sequence + 1
            return nil
        default:
            return nil
        }
    }

    private func leastBytes(of name: String) -> Int? {
        switch name {
        case "IHDR": 13
        case "tRNS":
            switch header?.colour {
            case .rgb: 6
            case .grey: 2
            default: nil
            }
        case "gAMA": 4
        case "cHRM": 32
        case "sRGB": 1
        case "pHYs": 9
        case "acTL": 8
        case "fcTL": 26
        case "fdAT": 4
        default: nil
        }
    }

    private mutating func frameDefect(_ body: Slice<UnsafeRawBufferPointer>) -> String? {
        let found = number(body, 0)
        guard found == (sequence.map { $0 + 1 } ?? 0) else { return "frame out of order" }
        sequence = found
        let place = [number(body, 4), number(body, 8), number(body, 12), number(body, 16)]
        guard place[0] + place[2] <= header?.width ?? 0, place[1] + place[3] <= header?.height ?? 0 else {
            return "a frame outside the picture"
        }
        frame = place
        return nil
    }

    private func number(_ body: Slice<UnsafeRawBufferPointer>, _ place: Int) -> Int {
        body.dropFirst(place).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }
}
