/// What kind of picture bytes are, told from how they begin: names of files lie (ImageNet has a PNG file
/// that is called JPEG).
public enum PictureFormat: String, CaseIterable, Sendable {
    case png = "PNG"
    case jpeg = "JPEG"
    // Only recognised, to be refused by their names.
    case gif = "GIF"
    case bmp = "BMP"
    case webp = "WebP"
    case tiff = "TIFF"
    case jpeg2000 = "JPEG 2000"
    case jpegXL = "JPEG XL"
    case heif = "HEIF or AVIF"
    case netpbm = "Netpbm"
    case photoshop = "Photoshop"

    /// The formats that ``PictureDecoder`` reads.
    public static let readable: Set<PictureFormat> = [.png, .jpeg]

    /// - Returns: nil for bytes of no format that is known here.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        let known = Self.allCases.first { format in format.signatures.contains { $0.matches(bytes) } }
        guard let known else { return nil }
        self = known
    }

    private var signatures: [Signature] {
        switch self {
        case .png: [[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]]
        case .jpeg: [[0xFF, 0xD8, 0xFF]]
        case .gif: ["GIF87a", "GIF89a"]
        case .bmp: ["BM"]
        case .webp: [Signature(at: 8, "WEBP")]
        case .tiff: ["II*\0", "MM\0*", "II+\0", "MM\0+"]
        case .jpeg2000: [[0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50], [0xFF, 0x4F, 0xFF, 0x51]]
        case .jpegXL: [[0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C, 0x20], [0xFF, 0x0A]]
        case .heif: [Signature(at: 4, "ftyp")]
        case .netpbm: (1...6).map { Signature(at: 0, "P\($0)") }
        case .photoshop: ["8BPS"]
        }
    }
}

/// Bytes that stand at one place in every file of a format.
private struct Signature: ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    let place: Int
    let bytes: [UInt8]

    init(at place: Int, _ text: String) {
        self.place = place
        bytes = Array(text.utf8)
    }

    init(stringLiteral text: String) { self.init(at: 0, text) }

    init(arrayLiteral bytes: UInt8...) {
        place = 0
        self.bytes = bytes
    }

    func matches(_ file: UnsafeRawBufferPointer) -> Bool {
        file.count >= place + bytes.count && file[place..<place + bytes.count].elementsEqual(bytes)
    }
}
