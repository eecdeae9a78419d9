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
