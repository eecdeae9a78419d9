/// How a label mask reaches the square that the model sees.
///
/// The public implementation of the second-order lens crops the image but squashes its mask, so that the
/// two do not lie on each other; published numbers need the one, honest numbers the other.
public enum MaskGeometry: String, CaseIterable, Codable, Sendable {
    /// As the image, whatever the model asks for.
    case aligned
    /// Both sides to the model's size, whatever their ratio.
    case squashed

    /// The mask at the model's size; labels are taken from the nearest pixel, never mixed.
    /// - Parameters:
    ///   - labels: row-major. // [height, width]
    ///   - image: width and height of the image that the mask belongs to.
    ///   - square: how the image reaches the model.
    ///   - border: where the square is larger than the image.
    /// - Returns: // [size, size]
    /// - Throws: ``InputError/maskOfAnotherSize(mask:image:)`` for a mask without pixels or of another size
    ///   than its image.
    public func mask<Label>(
        _ labels: [Label], width: Int, height: Int, image: (width: Int, height: Int), square: SquareGeometry,
        border: Label
    ) throws -> [Label] {
        guard width > 0, height > 0, labels.count == width * height, image == (width, height) else {
            throw InputError.maskOfAnotherSize(mask: [width, height], image: [image.width, image.height])
        }
        let size = square.size
        let geometry = self == .aligned ? square : SquareGeometry(size: size, resize: .exact(width: size, height: size))
        let place = geometry.placement(width: width, height: height)
        let columns = NearestNeighbour.sources(of: width, resizedTo: place.width, in: place.left..<place.left + size)
        let rows = NearestNeighbour.sources(of: height, resizedTo: place.height, in: place.top..<place.top + size)
        return rows.flatMap { row in
            columns.map { column in
                guard let row, let column else { return border }
                return labels[row * width + column]
            }
        }
    }
}

/// The pixels that Pillow's `Image.resize` takes with `NEAREST`.
enum NearestNeighbour {
    /// - Parameter wanted: indices along the resized side.
    /// - Returns: nil for an index outside of it.
    static func sources(of side: Int, resizedTo resized: Int, in wanted: Range<Int>) -> [Int?] {
        let step = Double(side) / Double(resized)
        var centre = step / 2
        var sources = [Int?](repeating: nil, count: wanted.count)
        // Pillow adds up the steps; (index + ½)·step would differ in the last bit and so now and then in the pixel.
        for index in 0..<max(0, min(resized, wanted.upperBound)) {
            if wanted.contains(index) { sources[index - wanted.lowerBound] = min(Int(centre), side - 1) }
            centre += step
        }
        return sources
    }
}

/// The class of each pixel of a picture, in the same numbering for every data set.
public struct LabelMask: Sendable, Equatable {
    /// A pixel that counts nowhere: borders of objects, crowds, what annotators left open.
    public static let ignored = UInt16.max
    /// A pixel of no class, or of none that the set names.
    public static let background: UInt16 = 0

    public let width: Int
    public let height: Int
    /// 0 background, `l + 1` for class `l`, ``ignored``; row-major. // [height, width]
    public var labels: [UInt16]

    public init(width: Int, height: Int, labels: [UInt16]) {
        precondition(width > 0 && height > 0 && labels.count == width * height, "a mask has one label a pixel")
        self.width = width
        self.height = height
        self.labels = labels
    }

    init(width: Int, height: Int, filled label: UInt16 = LabelMask.background) {
        self.init(width: width, height: height, labels: [UInt16](repeating: label, count: width * height))
    }

    /// The numbering of a data set turned into this one.
    /// - Parameters:
    ///   - meaning: the label for a number of the set, nil for a number that the set does not have.
    ///   - picture: for the error.
    /// - Throws: ``DataSetError/labelOutOfRange(path:place:label:classes:)``.
    func renumbered(path: String, picture: String, classes: Int, _ meaning: (UInt16) -> UInt16?) throws -> LabelMask {
        // Masks have few labels and many pixels: each number is asked for once.
        var table = [UInt16?](repeating: nil, count: 1 << 16)
        var known = [Bool](repeating: false, count: 1 << 16)
        var result = self
        for index in labels.indices {
            let number = Int(labels[index])
            if !known[number] {
                table[number] = meaning(labels[index])
                known[number] = true
            }
            guard let label = table[number] else {
                throw DataSetError.labelOutOfRange(
                    path: path, place: "\(picture), row \(index / width), column \(index % width)", label: number,
                    classes: classes)
            }
            result.labels[index] = label
        }
        return result
    }
}
