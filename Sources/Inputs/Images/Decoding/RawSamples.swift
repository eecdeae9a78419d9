import Foundation

/// The numbers that a PNG file holds, without any conversion: palette indices stay indices, and 4-bit grey
/// goes from 0 to 15. Masks of segmentation are stored so.
public struct RawSamples: Sendable, Equatable {
    public let width: Int
    public let height: Int
    /// 1 (grey or palette indices), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).
    public let channels: Int
    /// Bits of a sample: 1, 2, 4, 8 or 16.
    public let bits: Int
    /// Whether samples are indices of a palette.
    public let areIndices: Bool
    /// // [height, width, channels]
    public let samples: [UInt16]

    /// - Parameter name: what the picture is called in an error.
    /// - Throws: ``InputError/pictureRefused(name:fault:)``, also for formats that keep no exact numbers.
    public init(png bytes: Data, name: String, limit: PixelLimit = .standard) throws(InputError) {
        do {
            self = try bytes.withRawBytes { (bytes) throws(PictureFault) in try RawSamples(bytes, limit: limit) }
        } catch {
            throw InputError.pictureRefused(name: name, fault: error)
        }
    }

    private init(_ bytes: UnsafeRawBufferPointer, limit: PixelLimit) throws(PictureFault) {
        let format = try PictureDecoder.readableFormat(of: bytes)
        guard format == .png else { throw .unreadableFormat(format) }
        let file = try PNGFile(bytes, limit: limit)
        (width, height) = (file.header.width, file.header.height)
        (channels, bits) = (file.header.colour.channels, file.header.depth)
        areIndices = file.header.colour == .palette
        samples = try file.samples()
    }

    /// How the pixels of a mask state their labels.
    public enum LabelCoding: String, CaseIterable, Sendable {
        /// The one sample of a pixel, as in Pascal VOC.
        case index
        /// red + 256 · green of 8 bits each, as in ImageNet-S.
        case redGreen
    }

    /// A label for every pixel. // [height, width]
    /// - Returns: nil where the samples are not of the coding: one channel for ``LabelCoding/index``, three
    ///   or four of 8 bits for ``LabelCoding/redGreen``.
    public func labels(_ coding: LabelCoding) -> [UInt16]? {
        switch coding {
        case .index:
            return channels == 1 ? samples : nil
        case .redGreen:
            guard channels >= 3, bits == 8 else { return nil }
            return stride(from: 0, to: samples.count, by: channels).map { samples[$0] + 256 * samples[$0 + 1] }
        }
    }
}
