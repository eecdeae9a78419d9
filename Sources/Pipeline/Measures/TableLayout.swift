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
