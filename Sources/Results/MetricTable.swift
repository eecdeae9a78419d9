import Pipeline

/// A table of metrics, laid out by an experiment.
public enum MetricTable {
    /// The layout filled with the metrics it names; a cell without a metric is a dash.
    public static func make(_ layout: TableLayout, metrics: [Metric]) -> TextTable {
        var table = TextTable(
            title: layout.title,
            columns: [.init(layout.rowHeader, .left)]
                + layout.columns.map { .init($0.header, $0.isText ? .left : .right, group: $0.group) })
        let byPlace = Dictionary(metrics.map { (Place($0.name, $0.subject), $0) }) { first, _ in first }
        for row in layout.rows {
            let cells = row.cells.map { cell in
                switch cell {
                case .text(let words): words
                case .metric(let name, let subject, let part): byPlace[Place(name, subject)].map { text($0, part) } ?? "–"
                }
            }
            table.addRow([row.header] + cells)
        }
        for footnote in layout.footnotes { table.addFootnote(footnote) }
        return table
    }

    /// Name and subject, whatever the order of the subject's columns.
    private struct Place: Hashable {
        let name: String
        let columns: Set<Subject.Column>

        init(_ name: String, _ subject: Subject) {
            self.name = name
            columns = Set(subject.columns)
        }
    }

    private static func text(_ metric: Metric, _ part: TableLayout.Cell.Part) -> String {
        let format = metric.unit == "share" ? NumberFormat.percent : NumberFormat(decimals: 3)
        switch part {
        case .measured: return format.text(metric)
        case .value: return metric.status == .ok ? format.text(metric.value) : metric.status.rawValue
        case .paper: return format.text(metric.paper?.value)
        }
    }
}
