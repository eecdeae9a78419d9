import Foundation

/// Pictures in rows and columns with words, for people to look at: heat maps beside their images, the pictures of a
/// search.
public struct PictureTable: Sendable, Hashable, Codable {
    public struct Cell: Sendable, Hashable, Codable {
        /// A JPEG file; nil for a picture that could not be had.
        public var jpeg: Data?
        public var captions: [String]

        public init(jpeg: Data?, captions: [String]) {
            self.jpeg = jpeg
            self.captions = captions
        }
    }

    public struct Row: Sendable, Hashable, Codable {
        public var header: String
        public var cells: [Cell]

        public init(header: String, cells: [Cell]) {
            self.header = header
            self.cells = cells
        }
    }

    public var title: String
    /// One for each column, or none at all.
    public var columnHeaders: [String]
    public var rows: [Row]
    /// Pixels of a picture.
    public var width: Int
    public var height: Int

    public init(title: String, columnHeaders: [String], rows: [Row], width: Int, height: Int) {
        self.title = title
        self.columnHeaders = columnHeaders
        self.rows = rows
        self.width = width
        self.height = height
    }

    /// How files with one end.
    public static let fileSuffix = "pictures.json"
}
