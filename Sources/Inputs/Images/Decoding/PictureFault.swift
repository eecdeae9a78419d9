/// Why bytes are not read as a picture. Facts only; offsets are in bytes from the beginning.
public enum PictureFault: Error, Equatable, Sendable {
    /// Not one byte.
    case empty
    /// The bytes begin like no format of pictures that is known.
    case unknownFormat
    /// A format that is recognised but not read.
    case unreadableFormat(PictureFormat)
    /// The header states more than is allowed; nothing was decoded, and no memory taken for it.
    case tooLarge(width: Int, height: Int, limit: PixelLimit)
    /// The bytes end before the picture does.
    case cut(PictureFormat, offset: Int)
    case damaged(PictureFormat, reason: String, offset: Int)
    /// A sound file of a kind that is not read.
    case unsupported(PictureFormat, reason: String)
    /// There was no memory for the decoder.
    case noMemory(PictureFormat)
}

extension PictureFault {
    /// For the reason of an error that names the picture.
    public var text: String {
        switch self {
        case .empty: "an empty file"
        case .unknownFormat: "not a PNG or JPEG file"
        case .unreadableFormat(let format): "a \(format.rawValue) file, not PNG or JPEG"
        case .tooLarge(let width, let height, let limit):
            "\(width)×\(height) pixels, more than \(limit.pixels) in all or \(limit.side) a side"
        case .cut(let format, let offset): "\(format.rawValue) cut at byte \(offset)"
        case .damaged(let format, let reason, let offset): "\(format.rawValue) damaged at byte \(offset): \(reason)"
        case .unsupported(let format, let reason): "\(format.rawValue) with \(reason)"
        case .noMemory(let format): "no memory to decode \(format.rawValue)"
        }
    }
}
