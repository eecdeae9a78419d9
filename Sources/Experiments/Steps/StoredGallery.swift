import Foundation
import Inputs
import Pipeline

/// A table of pictures for people to look at, made once: drawn as a PNG, and with its pictures and words apart for
/// a report.
struct StoredGallery: ColumnTable {
    private(set) var png = Data()
    /// A `PictureTable`, in JSON.
    private(set) var table = Data()

    static let columns: [Column<Self>] = [.file("png", \.png), .file("table", \.table)]

    init() {}

    /// - Throws: `InputError`.
    init(_ gallery: Gallery, named name: String) throws {
        png = try gallery.drawn(font: Gallery.font).png(for: name)
        table = try ArtefactJSON.encode(PictureTable(gallery, named: name))
    }

    /// Both, under one name.
    func attachments(_ name: String) -> [Attachment] {
        [Attachment("\(name).png", .bytes(png)), Attachment("\(name)-\(PictureTable.fileSuffix)", .bytes(table))]
    }
}

extension PictureTable {
    /// Pictures are kept at their own size: who shows them enlarges them.
    init(_ gallery: Gallery, named name: String) throws {
        let first = gallery.rows.lazy.flatMap(\.cells).compactMap(\.image).first
        self.init(
            title: gallery.title, columnHeaders: gallery.columnHeaders,
            rows: try gallery.rows.map { row in
                Row(
                    header: row.header,
                    cells: try row.cells.map {
                        Cell(jpeg: try $0.image?.jpeg(quality: Self.quality, for: name), captions: $0.captions)
                    })
            }, width: first?.width ?? 1, height: first?.height ?? 1)
    }

    /// Heat maps have soft edges: at this quality nothing is seen of the compression.
    private static let quality = 85
}
