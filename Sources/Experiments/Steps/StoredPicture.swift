import Foundation
import Inputs
import Pipeline
import Safetensors

/// A table of pictures for people to look at, made once: drawn as a PNG, and with its pictures and words apart for
/// a report.
struct StoredPicture: Artefact {
    let png: Data
    /// A `PictureTable`, in JSON.
    let table: Data

    /// - Throws: `InputError`.
    init(_ gallery: Gallery, named name: String) throws {
        png = try gallery.drawn(font: Gallery.font).png(for: name)
        table = try ArtefactJSON.encode(PictureTable(gallery, named: name))
    }

    init(_ stored: StoredArtefact) throws {
        png = try stored.tensor("png").data
        table = try stored.tensor("table").data
    }

    func stored() throws -> StoredArtefact {
        .tensors([
            "png": try StoredTensor(type: .uint8, shape: [png.count], data: png),
            "table": try StoredTensor(type: .uint8, shape: [table.count], data: table),
        ])
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
