import Pipeline

/// A table of metrics, laid out by an experiment.
public enum MetricTable {
    /// The layout filled with the metrics it names; a cell without a metric is a dash.
    public static func make(_ layout: TableLayout, metrics: [Metric]) -> TextTable {
        var table = TextTable(
            title: layout.title,
            columns: [.init(layout.rowHeader, .left)]
                + layout.columns.map { .init($0.header, $0.isText ? .left : .right, group: $0.group) })
        let lookup = MetricLookup(metrics)
        for row in layout.rows {
            let cells = row.cells.map { cell in
                switch cell {
                case .text(let words): words
                case .metric(let name, let subject, let part): lookup[name, subject].map { text($0, part) } ?? "–"
                }
            }
            table.addRow([row.header] + cells)
        }
        for footnote in layout.footnotes { table.addFootnote(footnote) }
        return table
    }

    /// What a cell shows of a metric.
    static func text(_ metric: Metric, _ part: TableLayout.Cell.Part) -> String {
        let format = metric.unit == "share" ? NumberFormat.percent : NumberFormat(decimals: 3)
        switch part {
        case .measured: return format.text(metric)
        case .value: return metric.status == .ok ? format.text(metric.value) : metric.status.rawValue
        case .paper: return format.text(metric.paper?.value)
        }
    }
}

/// Finds metrics by name and subject, whatever the order of the subject's columns.
struct MetricLookup {
    private struct Place: Hashable {
        let name: String
        let columns: Set<Subject.Column>
    }

    private let metrics: [Place: Metric]

    init(_ metrics: [Metric]) {
        self.metrics = Dictionary(metrics.map { (Place(name: $0.name, columns: Set($0.subject.columns)), $0) }) {
            first, _ in first
        }
    }

    subscript(_ name: String, _ subject: Subject) -> Metric? {
        metrics[Place(name: name, columns: Set(subject.columns))]
    }
}
