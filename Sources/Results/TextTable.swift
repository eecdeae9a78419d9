import Foundations

/// A table for a terminal: columns under headers, headers under groups, footnotes below.
///
///                      ─────── without ────────
///     layer  baseline  all neurons  large norms  paper
///     ─────  ────────  ───────────  ───────────  ─────
///         9      87.1         46.3         80.2      –
///
/// Widths count columns of the terminal, of which wide characters take two.
public struct TextTable: Sendable {
    public enum Alignment: Sendable {
        case left, right
    }

    public struct Column: Sendable {
        public var header: String
        public var alignment: Alignment
        /// Name that this column shares with its neighbours of the same group.
        public var group: String?

        public init(_ header: String, _ alignment: Alignment = .left, group: String? = nil) {
            self.header = header
            self.alignment = alignment
            self.group = group
        }
    }

    private enum Line {
        case cells([String])
        /// A line of its own over the rows that follow.
        case heading(String)
        case rule
    }

    public var title: String?
    public var columns: [Column]
    private var lines: [Line] = []
    private var footnotes: [String] = []

    private static let gap = "  "

    public init(title: String? = nil, columns: [Column]) {
        self.title = title
        self.columns = columns
    }

    /// Adds a row; cells that are missing at its end are empty, and those beyond the columns are
    /// left out.
    public mutating func addRow(_ cells: [String]) {
        let padded = cells + repeatElement("", count: max(0, columns.count - cells.count))
        lines.append(.cells(padded.prefix(columns.count).map(Self.singleLine)))
    }

    /// Adds a heading over the rows that follow.
    public mutating func addHeading(_ text: String) {
        lines.append(.heading(Self.singleLine(text)))
    }

    /// Adds a horizontal line.
    public mutating func addRule() {
        lines.append(.rule)
    }

    /// Adds a line below the table.
    public mutating func addFootnote(_ text: String) {
        footnotes.append(text)
    }

    /// The table as lines without trailing spaces, each ended by a line feed.
    public func rendered() -> String {
        let widths = columnWidths()
        let rule = widths.map { String(repeating: "─", count: $0) }.joined(separator: Self.gap)
        var output: [String] = []
        if let title { output += [title, ""] }
        if columns.contains(where: { $0.group != nil }) { output.append(groupLine(widths)) }
        output.append(line(columns.map(\.header), widths))
        output.append(rule)
        for content in lines {
            switch content {
            case .cells(let cells): output.append(line(cells, widths))
            case .heading(let text): output.append(text)
            case .rule: output.append(rule)
            }
        }
        if !footnotes.isEmpty { output += [""] + footnotes }
        return output.map { Self.trimmed($0) + "\n" }.joined()
    }

    /// The table for a document: a group's name stands before its columns' headers.
    public func markdown() -> String {
        func row(_ cells: [String]) -> String { "| " + cells.map(Markdown.cell).joined(separator: " | ") + " |" }
        let header = columns.map { column in column.group.map { "\($0): \(column.header)" } ?? column.header }
        var output = title.map { ["**\(Markdown.text($0))**", ""] } ?? []
        output += [row(header), "|" + columns.map { $0.alignment == .left ? "---|" : "---:|" }.joined()]
        for case .cells(let cells) in lines { output.append(row(cells)) }
        for footnote in footnotes { output += ["", Markdown.text(footnote)] }
        return output.map { $0 + "\n" }.joined()
    }

    // MARK: Layout

    private struct Group {
        var name: String?
        var columns: Range<Int>
    }

    /// Runs of neighbours of the same group.
    private var groups: [Group] {
        var groups: [Group] = []
        for (index, column) in columns.enumerated() {
            if let last = groups.last, column.group != nil, last.name == column.group {
                groups[groups.count - 1].columns = last.columns.lowerBound..<index + 1
            } else {
                groups.append(Group(name: column.group, columns: index..<index + 1))
            }
        }
        return groups
    }

    private func columnWidths() -> [Int] {
        var widths = columns.map(\.header.displayWidth)
        for case .cells(let cells) in lines {
            for (index, cell) in cells.enumerated() {
                widths[index] = max(widths[index], cell.displayWidth)
            }
        }
        // A group's name that is wider than its columns widens the last of them.
        for group in groups {
            let missing = (group.name?.displayWidth ?? 0) - width(of: group, widths)
            if missing > 0 { widths[group.columns.upperBound - 1] += missing }
        }
        return widths
    }

    private func width(of group: Group, _ widths: [Int]) -> Int {
        widths[group.columns].reduce(0, +) + Self.gap.count * (group.columns.count - 1)
    }

    private func groupLine(_ widths: [Int]) -> String {
        groups.map { group in
            let width = width(of: group, widths)
            guard let name = group.name else { return String(repeating: " ", count: width) }
            let free = width - name.displayWidth
            guard free >= 2, group.columns.count > 1 else { return name.padded(to: width) }
            let left = (free - 2) / 2
            return String(repeating: "─", count: left) + " \(name) "
                + String(repeating: "─", count: free - 2 - left)
        }.joined(separator: Self.gap)
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        zip(zip(cells, columns), widths).map { pair, width in
            pair.0.padded(to: width, atTheLeft: pair.1.alignment == .right)
        }.joined(separator: Self.gap)
    }

    private static func trimmed(_ line: String) -> String {
        String(line.reversed().drop { $0 == " " }.reversed())
    }

    /// Names come from data: one with a line feed or a terminal's control codes must not break
    /// the table.
    private static func singleLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? " " : $0 }))
    }
}

extension Unicode.Scalar {
    fileprivate var isControl: Bool { properties.generalCategory == .control }
}

/// Text from data in a document of Markdown, where it is to be text and nothing else.
enum Markdown {
    /// A line of its own.
    static func text(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("<", with: "&lt;").replacing("*", with: "\\*").replacing(
            "_", with: "\\_"
        )
        .replacing("\n", with: " ")
    }

    /// In a table.
    static func cell(_ text: String) -> String { self.text(text).replacing("|", with: "\\|") }
}
