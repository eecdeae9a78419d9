import GRDB
import Pipeline

/// A column of the table `metric`: what of a metric stands in it, and how that is read back.
///
/// What stores, reads, digests, exports and compares metrics goes over ``all``: one line there and the property of `Metric`
/// are all that another column takes.
struct MetricColumn: Sendable {
    /// What a column can hold.
    enum Kind: String {
        case text = "TEXT"
        case integer = "INTEGER"
        case number = "REAL"
    }

    /// In the database, and where `header` says nothing else in CSV files.
    let name: String
    let kind: Kind
    let value: @Sendable (Metric) -> Field
    /// Sets what it holds; nothing where another column sets it, too.
    let read: @Sendable (RowReader, inout Metric) throws -> Void
    /// Its name in CSV files; empty for one that is not in them.
    let header: String
    /// What is said of two metrics that have other values in it, and therefore are not compared; nil where that does not
    /// matter.
    let mismatch: String?
    /// The version of the database that brought it: in one of an earlier version it is absent, and a run of an earlier
    /// version has NULL.
    let since: Int

    init(
        _ name: String, _ kind: Kind, header: String? = nil, mismatch: String? = nil, since: Int = 1,
        value: @escaping @Sendable (Metric) -> Field,
        read: @escaping @Sendable (RowReader, inout Metric) throws -> Void = { _, _ in }
    ) {
        (self.name, self.kind, self.header, self.mismatch, self.since) = (name, kind, header ?? name, mismatch, since)
        (self.value, self.read) = (value, read)
    }

    /// In the order of CSV files.
    static let all: [MetricColumn] = [
        text("experiment", \.experiment),
        text("spec", \.spec, since: 4),
        text("world", \.world),
        text("model", \.model, mismatch: "another model"),
        text("dataset", \.dataset, mismatch: "other data"),
        // The order of its columns is lost to whoever decodes it: it is read by a query of its own.
        .init(subject, .text, value: { .text(RowJSON.object($0.subject)) }),
        text("name", \.name, header: "metric"),
        .init("value", .number, value: { .number($0.value) }),
        .init("status", .text, value: { .text($0.status.rawValue) }),
        text("unit", \.unit, mismatch: "another unit"),
        flag("higher_is_better", \.higherIsBetter),
        integer("n", \.n, mismatch: "another n"),
        integer("skipped", \.skipped),
        .init("ci_lower", .number, value: { .number($0.interval?.lower) }, read: { $1.interval = try $0.interval() }),
        .init("ci_upper", .number, value: { .number($0.interval?.upper) }),
        .init("ci_level", .number, value: { .number($0.interval?.level) }),
        .init("ci_method", .text, value: { .text($0.interval?.method) }),
        .init("ci_replicates", .integer, value: { .integer($0.interval?.replicates) }),
        .init("ci_seed", .text, value: { .text($0.interval?.seed.map(String.init)) }),
        .init("ci_unit", .text, value: { .text($0.interval?.resamplingUnit) }),
        .init("paper_value", .number, value: { .number($0.paper?.value) }, read: { $1.paper = try $0.paper() }),
        .init("paper_source", .text, value: { .text($0.paper?.source) }),
        .init("paper_half_unit", .number, value: { .number($0.paper?.halfUnit) }),
        flag("comparable", \.isComparable, header: ""),
        flag("partial", \.isPartial),
        .init("verdict", .text, value: { .text($0.verdict.rawValue) }),
        text("note", \.note),
    ]

    /// The column of what a metric is about: a JSON object in the database, several columns in CSV files.
    static let subject = "subject"

    /// Those of a database of a version.
    static func all(in version: Int) -> [MetricColumn] { all.filter { $0.since <= version } }

    // MARK: Columns of one property

    typealias Property<Value> = WritableKeyPath<Metric, Value> & Sendable

    private static func text(
        _ name: String, _ property: Property<String>, header: String? = nil, mismatch: String? = nil
    ) -> MetricColumn {
        .init(
            name, .text, header: header, mismatch: mismatch, value: { .text($0[keyPath: property]) },
            read: { $1[keyPath: property] = try $0.value(name) })
    }

    private static func text(_ name: String, _ property: Property<String?>, since: Int = 1) -> MetricColumn {
        .init(
            name, .text, since: since, value: { .text($0[keyPath: property]) },
            read: { $1[keyPath: property] = try $0.optional(name) })
    }

    private static func integer(_ name: String, _ property: Property<Int>, mismatch: String? = nil) -> MetricColumn {
        .init(
            name, .integer, mismatch: mismatch, value: { .integer($0[keyPath: property]) },
            read: { $1[keyPath: property] = try $0.value(name) })
    }

    private static func flag(_ name: String, _ property: Property<Bool>, header: String? = nil) -> MetricColumn {
        .init(
            name, .integer, header: header, value: { .flag($0[keyPath: property]) },
            read: { $1[keyPath: property] = try $0.value(name) })
    }
}

/// What stands in one place of a row; nil for nothing.
enum Field: Equatable, CustomStringConvertible {
    case text(String?)
    case integer(Int?)
    case number(Double?)
    case flag(Bool)

    /// As SQLite stores it.
    var stored: (any DatabaseValueConvertible)? {
        switch self {
        case .text(let text): text
        case .integer(let number): number
        case .number(let number): number
        case .flag(let value): value
        }
    }

    var description: String {
        switch self {
        case .text(let text): text ?? "none"
        case .integer(let number): number.map(String.init) ?? "none"
        case .number(let number): number?.description ?? "none"
        case .flag(let value): value.description
        }
    }
}
