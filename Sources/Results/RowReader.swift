import GRDB
import Pipeline

/// Reads the columns of a row without trusting them.
struct RowReader {
    private let row: Row
    private let path: String
    private let table: String

    init(_ row: Row, path: String, table: String) {
        self.row = row
        self.path = path
        self.table = table
    }

    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value: Value = try optional(column) else { throw failure(column) }
        return value
    }

    /// nil for NULL; a value of another type is an error.
    func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        guard row.hasColumn(column) else { throw failure(column) }
        let stored: DatabaseValue = row[column]
        guard !stored.isNull else { return nil }
        guard let value = Value.fromDatabaseValue(stored) else { throw failure(column) }
        return value
    }

    func choice<Choice: RawRepresentable>(_ column: String) throws -> Choice
    where Choice.RawValue == String {
        let name: String = try value(column)
        guard let choice = Choice(rawValue: name) else { throw failure(column) }
        return choice
    }

    func failure(_ column: String) -> ResultsError {
        .unreadableRow(path: path, table: table, column: column)
    }
}

extension RowReader {
    /// A row of `metric` in some columns; its subject takes a query of its own.
    func metric(_ columns: [MetricColumn], subject: Subject) throws -> Metric {
        var metric = Metric(
            experiment: "", world: "", model: "", dataset: "", subject: subject, name: "",
            value: try optional("value") ?? .nan, n: try value("n"))
        for column in columns { try column.read(self, &metric) }
        let status: Metric.Status = try choice("status")
        return status == .ok ? metric : metric.without(status, because: metric.note)
    }

    func interval() throws -> Metric.Interval? {
        guard let lower: Double = try optional("ci_lower") else { return nil }
        let seedText: String? = try optional("ci_seed")
        let seed = seedText.flatMap { UInt64($0) }
        guard (seed == nil) == (seedText == nil) else { throw failure("ci_seed") }
        return Metric.Interval(
            lower: lower, upper: try value("ci_upper"), level: try value("ci_level"),
            method: try value("ci_method"), replicates: try optional("ci_replicates"), seed: seed,
            resamplingUnit: try value("ci_unit"))
    }

    func paper() throws -> Metric.PaperValue? {
        guard let paperValue: Double = try optional("paper_value") else { return nil }
        return Metric.PaperValue(
            paperValue, source: try value("paper_source"), halfUnit: try value("paper_half_unit"))
    }
}
