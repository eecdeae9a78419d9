import Foundation
import Pipeline

extension Comparison {
    /// Tables for a terminal.
    /// - Parameter all: also numbers that are the same.
    public func text(all: Bool) -> String {
        var parts = [claimsTable, settingsTable].compactMap { $0?.rendered() }
        for experiment in experiments {
            var table = TextTable(
                title: experiment, columns: Self.columns.map { .init($0.title, $0.isText ? .left : .right) })
            let rows = shown(experiment, all: all)
            for row in rows { table.addRow(Self.cells(row)) }
            if !rows.isEmpty { parts.append(table.rendered()) }
        }
        return (parts + [summary + "\n"]).joined(separator: "\n")
    }

    /// Tables for a pull request, in Markdown.
    /// - Parameter all: also numbers that are the same.
    public func markdown(all: Bool) -> String {
        func line(_ cells: [String]) -> String { "| " + cells.map(Markdown.cell).joined(separator: " | ") + " |" }
        func table(_ header: [(title: String, isText: Bool)], _ rows: [[String]]) -> String {
            ([line(header.map(\.title)), "|" + header.map { $0.isText ? "---|" : "---:|" }.joined()] + rows.map(line))
                .joined(separator: "\n")
        }
        var parts = [summary]
        if !claims.isEmpty {
            parts += ["### \(Self.claimsTitle)", table(Self.claimColumns.map { ($0, true) }, claims.map(Self.cells))]
        }
        if !settings.isEmpty {
            parts.append(
                table(
                    [("experiment", true), ("what differs", true), ("base", true), ("head", true)],
                    settings.map { [$0.experiment, $0.what, $0.base, $0.head] }))
        }
        for experiment in experiments {
            let rows = shown(experiment, all: all)
            if !rows.isEmpty { parts += ["### \(experiment)", table(Self.columns, rows.map(Self.cells))] }
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// Every metric, whatever came of it.
    public func csv() -> Data {
        var writer = CSVWriter(header: [
            "experiment", "metric", "subject", "unit", "outcome", "base", "head", "difference", "base_ci_lower",
            "base_ci_upper",
            "head_ci_lower", "head_ci_upper", "n", "test", "only_base_right", "only_head_right", "difference_ci_lower",
            "difference_ci_upper", "p", "p_corrected", "reason",
        ])
        for row in rows {
            let subject = Self.words(row.subject)
            let start: [Field] = [
                .text(row.experiment), .text(row.metric), .text(subject), .text(row.unit), .text(row.outcome.name),
            ]
            guard case .compared(let numbers) = row.outcome else {
                let nothing = [Field](repeating: .text(nil), count: 15)
                writer.add(start + nothing + [.text(row.outcome.reason)])
                continue
            }
            let (counts, interval) = (numbers.test?.method.counts, numbers.test?.method.interval)
            writer.add(
                start + [
                    .number(numbers.base), .number(numbers.head), .number(numbers.difference),
                    .number(numbers.baseInterval?.lower),
                    .number(numbers.baseInterval?.upper), .number(numbers.headInterval?.lower),
                    .number(numbers.headInterval?.upper),
                    .integer(numbers.n), .text(numbers.test?.method.name), .integer(counts?.onlyBase),
                    .integer(counts?.onlyHead),
                    .number(interval?.lower), .number(interval?.upper),
                    .number(numbers.test?.probability), .number(numbers.test?.corrected), .text(nil),
                ])
        }
        return writer.data
    }

    /// How many numbers there were and what came of them, in one line.
    public var summary: String {
        var parts = ["\(compared) numbers compared, \(differences) differ"]
        if notComparable > 0 { parts.append("\(notComparable) not comparable") }
        let (base, head) = (rows.count { $0.outcome == .onlyInBase }, rows.count { $0.outcome == .onlyInHead })
        if base > 0 { parts.append("\(base) only in base") }
        if head > 0 { parts.append("\(head) only in head") }
        if !claims.isEmpty { parts.append("\(claims.count) of the papers' claims changed") }
        if !onlyInBase.isEmpty { parts.append("experiments only in base: \(onlyInBase.joined(separator: ", "))") }
        if !onlyInHead.isEmpty { parts.append("experiments only in head: \(onlyInHead.joined(separator: ", "))") }
        return parts.joined(separator: "; ") + "."
    }

    // MARK: Parts

    private var experiments: [String] {
        var seen: Set<String> = []
        return rows.map(\.experiment).filter { seen.insert($0).inserted }
    }

    private func shown(_ experiment: String, all: Bool) -> [Row] {
        rows.filter { row in
            guard row.experiment == experiment else { return false }
            if case .compared(let numbers) = row.outcome { return all || numbers.differs }
            return true
        }
    }

    private static let claimsTitle = "Claims of the papers whose verdict changed"
    private static let claimColumns = ["claim", "source", "base", "head", "because"]

    private static func cells(_ claim: Claim) -> [String] {
        [
            claim.head.words, claim.head.source, claim.base.mark, claim.head.mark,
            "\(claim.base.because) → \(claim.head.because)",
        ]
    }

    private var claimsTable: TextTable? {
        guard !claims.isEmpty else { return nil }
        var table = TextTable(title: Self.claimsTitle, columns: Self.claimColumns.map { .init($0) })
        for claim in claims { table.addRow(Self.cells(claim)) }
        return table
    }

    private var settingsTable: TextTable? {
        guard !settings.isEmpty else { return nil }
        var table = TextTable(
            title: "What else differs", columns: [.init("experiment"), .init("what"), .init("base"), .init("head")])
        for setting in settings { table.addRow([setting.experiment, setting.what, setting.base, setting.head]) }
        return table
    }

    private static let columns: [(title: String, isText: Bool)] = [
        ("metric", true), ("of", true), ("base", false), ("head", false), ("difference", false), ("p, paired", false),
        ("", true),
    ]

    private static func cells(_ row: Row) -> [String] {
        let start = [row.metric, words(row.subject)]
        // Numbers that say nothing about each other do not stand side by side.
        guard case .compared(let numbers) = row.outcome else {
            return start + ["–", "–", "–", "–", row.outcome.reason]
        }
        let format = row.unit == "share" ? NumberFormat.percent : NumberFormat(decimals: 3)
        // Two more digits: what differs is not to look like nothing.
        let fine = NumberFormat(scale: format.scale, decimals: format.decimals + 2)
        let sign = numbers.difference > 0 ? "+" : ""
        let verdict =
            !numbers.differs
            ? "same"
            : (numbers.difference > 0) == numbers.higherIsBetter ? "better" : "worse"
        return start + [
            format.text(numbers.base, numbers.baseInterval), format.text(numbers.head, numbers.headInterval),
            sign + fine.text(numbers.difference),
            numbers.test.map { probability($0.corrected) } ?? "–",
            numbers.test.map { $0.corrected < 0.05 || !numbers.differs ? verdict : "\(verdict), by chance perhaps" }
                ?? verdict,
        ]
    }

    private static func probability(_ value: Double) -> String {
        value < 0.001 ? "< 0.001" : String(format: "%.3f", value)
    }

    private static func words(_ subject: Subject) -> String {
        subject.columns.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
    }
}

extension PairedTest.Method {
    var name: String {
        switch self {
        case .mcNemar: "McNemar, exact"
        case .bootstrap: "paired bootstrap"
        }
    }

    var counts: (onlyBase: Int, onlyHead: Int)? {
        if case .mcNemar(let onlyBase, let onlyHead) = self { (onlyBase, onlyHead) } else { nil }
    }

    var interval: Metric.Interval? {
        if case .bootstrap(let difference) = self { difference.interval } else { nil }
    }
}

extension Comparison.Outcome {
    var name: String {
        switch self {
        case .compared(let numbers): numbers.differs ? "differs" : "same"
        case .notComparable: "not comparable"
        case .onlyInBase: "only in base"
        case .onlyInHead: "only in head"
        }
    }

    var reason: String {
        switch self {
        case .compared: ""
        case .notComparable(let reasons): "not comparable: " + reasons.joined(separator: "; ")
        case .onlyInBase, .onlyInHead: name
        }
    }
}
