/// How metrics are set as a table: which metric stands in which cell. The numbers come from the rows of
/// the results, so a table can be printed again from the database alone.
public struct TableLayout: Sendable, Hashable, Codable {
    public struct Column: Sendable, Hashable, Codable {
        public var header: String
        /// Name that neighbours share.
        public var group: String?

        public init(_ header: String, group: String? = nil) {
            self.header = header
            self.group = group
        }
    }

    /// A metric by its name and subject, and what of it is printed.
    public struct Cell: Sendable, Hashable, Codable {
        public enum Part: String, Sendable, Codable {
            /// The value with its interval.
            case measured
            /// The paper's value.
            case paper
        }

        public var metric: String
        public var subject: Subject
        public var part: Part

        public init(_ metric: String, _ subject: Subject, _ part: Part = .measured) {
            self.metric = metric
            self.subject = subject
            self.part = part
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
