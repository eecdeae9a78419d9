import Foundation

/// A table of pictures of one size with words, for people to look at: the pictures of an adversarial
/// search, heat maps beside their images.
public struct Gallery: Sendable {
    /// A picture and what is said of it.
    public struct Cell: Sendable {
        /// nil leaves the place grey, for a picture that could not be had.
        public var image: RGBImage?
        /// Each starts a line; together they get ``Gallery/captionLines`` lines, and what does not fit
        /// ends in an ellipsis.
        public var captions: [String]

        public init(_ image: RGBImage?, captions: [String] = []) {
            self.image = image
            self.captions = captions
        }
    }

    public struct Row: Sendable {
        /// Stands at the left.
        public var header: String
        public var cells: [Cell]

        public init(header: String = "", cells: [Cell]) {
            self.header = header
            self.cells = cells
        }
    }

    /// Lines of text under a picture, at most.
    public static let captionLines = 3

    /// DejaVu Sans, where Debian's package fonts-dejavu-core puts it.
    public static let font = URL(fileURLWithPath: "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

    static let gap = 16
    static let titleHeight = 22
    static let textHeight = 13
    static let lineHeight = 17
    static let rowHeaderWidth = 120
    static let columnHeaderLines = 2
    static let absentGrey: UInt8 = 225

    public var title: String
    /// Stand over the columns, one each; may be empty.
    public var columnHeaders: [String]
    public var rows: [Row]
    /// Pictures are enlarged this many times by repetition.
    public var scale: Int

    public init(title: String, columnHeaders: [String] = [], rows: [Row], scale: Int = 1) {
        precondition(scale >= 1, "pictures are enlarged by a whole factor")
        self.title = title
        self.columnHeaders = columnHeaders
        self.rows = rows
        self.scale = scale
    }

    /// Draws the table; all its pictures have one size.
    /// - Parameter font: a text font, such as DejaVu Sans.
    /// - Throws: ``InputError`` when the font is missing or draws no text.
    public func drawn(font: URL) throws -> RGBImage {
        let face = try FontFace.text(font)
        let layout = Layout(self)
        var picture = RGBImage(width: layout.width, height: layout.height)

        try face.setPixelHeight(Self.titleHeight)
        let shownTitle = try face.shortened(title, to: layout.width - 2 * Self.gap)
        try face.draw(shownTitle, in: &picture, x: Self.gap, baseline: Self.gap + Self.titleHeight)

        try face.setPixelHeight(Self.textHeight)
        /// Draws lines one below the other, the first one's top at `y`.
        func write(_ lines: [String], x: Int, y: Int) throws {
            for (number, line) in lines.enumerated() {
                try face.draw(line, in: &picture, x: x, baseline: y + (number + 1) * Self.lineHeight - 4)
            }
        }
        for (column, header) in columnHeaders.enumerated() {
            let lines = try face.wrapped(header, to: layout.pictureWidth, lines: Self.columnHeaderLines)
            // A short header stands next to its column, not at the top of the space.
            let free = (Self.columnHeaderLines - lines.count) * Self.lineHeight
            try write(lines, x: layout.x(column), y: layout.columnHeaderTop + free)
        }
        for (index, row) in rows.enumerated() {
            let y = layout.y(index)
            let lines = layout.pictureHeight / Self.lineHeight
            if !row.header.isEmpty {
                try write(face.wrapped(row.header, to: Self.rowHeaderWidth, lines: max(1, lines)), x: Self.gap, y: y)
            }
            for (column, cell) in row.cells.enumerated() {
                let image = cell.image ?? layout.absent
                picture.paste(image, x: layout.x(column), y: y, scale: scale)
                try write(
                    captionLines(of: cell, width: layout.pictureWidth, face), x: layout.x(column),
                    y: y + layout.pictureHeight + 4)
            }
        }
        return picture
    }

    /// Every caption gets a line; those that are longer share the lines that are left, the first ones first.
    private func captionLines(of cell: Cell, width: Int, _ face: FontFace) throws -> [String] {
        var lines: [String] = []
        for (index, caption) in cell.captions.prefix(Self.captionLines).enumerated() {
            let later = min(cell.captions.count, Self.captionLines) - index - 1
            lines += try face.wrapped(caption, to: width, lines: Self.captionLines - lines.count - later)
        }
        return lines
    }
}

extension Gallery {
    /// Where everything stands, in pixels.
    private struct Layout {
        let pictureWidth: Int
        let pictureHeight: Int
        let left: Int
        let columnHeaderTop: Int
        let top: Int
        let cellHeight: Int
        let width: Int
        let height: Int
        let absent: RGBImage

        init(_ gallery: Gallery) {
            let images = gallery.rows.flatMap(\.cells).compactMap(\.image)
            let (width, height) = (images.first?.width ?? 64, images.first?.height ?? 64)
            precondition(
                images.allSatisfy { $0.width == width && $0.height == height }, "a gallery's pictures have one size")
            absent = RGBImage(width: width, height: height, grey: Gallery.absentGrey)
            pictureWidth = width * gallery.scale
            pictureHeight = height * gallery.scale
            let hasRowHeaders = gallery.rows.contains { !$0.header.isEmpty }
            left = gap + (hasRowHeaders ? rowHeaderWidth + gap : 0)
            columnHeaderTop = 2 * gap + titleHeight
            top = columnHeaderTop + (gallery.columnHeaders.isEmpty ? 0 : columnHeaderLines * lineHeight + 4)
            let captions = gallery.rows.contains { $0.cells.contains { !$0.captions.isEmpty } }
            cellHeight = pictureHeight + (captions ? Gallery.captionLines * lineHeight + 4 : 0) + gap
            let columns = max(gallery.columnHeaders.count, gallery.rows.map(\.cells.count).max() ?? 0)
            self.width = left + columns * (pictureWidth + gap)
            self.height = top + gallery.rows.count * cellHeight + gap
        }

        func x(_ column: Int) -> Int { left + column * (pictureWidth + gap) }
        func y(_ row: Int) -> Int { top + row * cellHeight }
    }
}
