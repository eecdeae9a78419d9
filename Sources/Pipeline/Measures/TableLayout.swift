import Foundation

/// How metrics are set as a table: which metric stands in which cell. The numbers come from the rows of
/// the results, so a table can be printed again from the database alone; words are kept in the layout.
public struct TableLayout: Sendable, Hashable, Codable {
    public struct Column: Sendable, Hashable, Codable {
        public var header: String
        /// Name that neighbours share.
        public var group: String?
        /// Whether the column holds words, which start at the left.
        public var isText: Bool

        public init(_ header: String, group: String? = nil, isText: Bool = false) {
            self.header = header
            self.group = group
            self.isText = isText
        }
    }

    public enum Cell: Sendable, Hashable, Codable {
        public enum Part: String, Sendable, Codable {
            /// The value with its interval.
            case measured
            /// The value alone.
            case value
            /// The paper's value.
            case paper
        }

        /// A metric by its name and subject, and what of it is printed.
        case metric(String, Subject, Part)
        /// Words, such as a list of phrases.
        case text(String)

        public init(_ metric: String, _ subject: Subject, _ part: Part = .measured) {
            self = .metric(metric, subject, part)
        }
    }

    public struct Row: Sendable, Hashable, Codable {
        public var header: String
        public var cells: [Cell]

        public init(_ header: String, _ cells: [Cell]) {
            self.header = header
            self.cells = cells
        }
    }

    public var title: String
    public var rowHeader: String
    public var columns: [Column]
    public var rows: [Row]
    public var footnotes: [String]

    public init(title: String, rowHeader: String, columns: [Column], rows: [Row], footnotes: [String] = []) {
        self.title = title
        self.rowHeader = rowHeader
        self.columns = columns
        self.rows = rows
        self.footnotes = footnotes
    }
}

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
