/// Brings pictures to a model's square of 8-bit RGB, each byte as Pillow with torchvision's transforms (or
/// `CLIPImageProcessor`) brings it there. Scaling to [0, 1] and normalisation come after.
public struct ImagePreprocessing: Equatable, Sendable {
    /// Which direction is resized first. In between there are 8 bits, so the last bit of the result depends
    /// on it.
    public enum PassOrder: String, CaseIterable, Sendable {
        /// Columns first where the height loses more than twice the pixels that the width does, else rows
        /// first; with the shorter side brought to the model's size, that is where the picture is more than
        /// twice as high as wide. Measured on Pillow 13.0.0, on 700 pairs of sizes.
        case pillow13
        /// Rows first, always: Pillow 11.3 to 12.3, and so what older results were made with.
        case rowsFirst
    }

    public var geometry: SquareGeometry
    public var filter: ResamplingFilter
    public var passOrder: PassOrder
    /// Value of red, green and blue where the square is larger than the resized picture.
    public var fill: UInt8

    public init(
        _ geometry: SquareGeometry, filter: ResamplingFilter = .bicubic, passOrder: PassOrder = .pillow13,
        fill: UInt8 = 0
    ) {
        (self.geometry, self.filter, self.passOrder, self.fill) = (geometry, filter, passOrder, fill)
    }

    /// CLIP's own: the shorter side to the model's size, bicubic, then the middle.
    public static func clip(size: Int) -> ImagePreprocessing {
        ImagePreprocessing(SquareGeometry(size: size, resize: .shortestEdge(size)))
    }

    /// The square. Only the pixels that it shows are computed.
    /// - Precondition: the picture has pixels.
    /// - Returns: // [size, size, 3]
    public func callAsFunction(_ image: RGBImage) -> RGBImage {
        let size = geometry.size
        let place = geometry.placement(width: image.width, height: image.height)
        let columns = shown(place.left, of: place.width)
        let rows = shown(place.top, of: place.height)
        guard !columns.isEmpty, !rows.isEmpty else { return RGBImage(width: size, height: size, grey: fill) }

        let picture = resized(image, place, columns: columns, rows: rows)
        if columns.count == size, rows.count == size {
            return RGBImage(width: size, height: size, pixels: picture)
        }
        var square = RGBImage(width: size, height: size, grey: fill)
        square.paste(
            RGBImage(width: columns.count, height: rows.count, pixels: picture),
            x: columns.lowerBound - place.left, y: rows.lowerBound - place.top)
        return square
    }

    /// The pixels of a resized side that the square shows.
    private func shown(_ start: Int, of side: Int) -> Range<Int> {
        max(0, start)..<max(0, min(side, start + geometry.size))
    }

    /// Two passes with 8 bits in between. // [rows, columns, 3]
    private func resized(
        _ image: RGBImage, _ place: SquareGeometry.Placement, columns: Range<Int>, rows: Range<Int>
    ) -> [UInt8] {
        let across = ResamplingWeights(filter, side: image.width, resized: place.width, wanted: columns)
        let down = ResamplingWeights(filter, side: image.height, resized: place.height, wanted: rows)
        let (lostWidth, lostHeight) = (image.width - place.width, image.height - place.height)
        if passOrder == .pillow13, lostHeight > 0, lostHeight > 2 * lostWidth {
            let part = PixelGrid(image, rows: 0..<image.height, columns: across.sources)
            return part.resizedDown(down).resizedAcross(across.moved(by: -across.sources.lowerBound)).pixels
        }
        let part = PixelGrid(image, rows: down.sources, columns: 0..<image.width)
        return part.resizedAcross(across).resizedDown(down.moved(by: -down.sources.lowerBound)).pixels
    }
}
