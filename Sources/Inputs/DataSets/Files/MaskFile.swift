import Foundation

extension LabelMask {
    /// The numbers that a PNG file holds for its pixels, such as indices of a palette.
    /// - Parameter path: for errors.
    /// - Throws: ``InputError/pictureRefused(name:fault:)``; ``InputError/imageNotRead(path:reason:)`` for
    ///   samples that are not of the coding.
    init(png bytes: [UInt8], coding: RawSamples.LabelCoding, path: String) throws {
        let samples = try RawSamples(png: Data(bytes), name: path)
        guard let labels = samples.labels(coding) else {
            throw InputError.imageNotRead(
                path: path,
                reason: "\(samples.channels) samples of \(samples.bits) bits a pixel, which is no mask of this data set"
            )
        }
        self.init(width: samples.width, height: samples.height, labels: labels)
    }

    /// A mask whose numbers are this module's, but for the one that is ignored.
    /// - Throws: as ``init(png:coding:path:)``, ``DataSetError/labelOutOfRange(path:place:label:classes:)``.
    init(indexPNG bytes: [UInt8], path: String, ignored: UInt16?, classes: Int, picture: String) throws {
        self = try LabelMask(png: bytes, coding: .index, path: path).renumbered(
            path: path, picture: picture, classes: classes
        ) {
            $0 == ignored ? LabelMask.ignored : $0 <= classes ? $0 : nil
        }
    }
}
