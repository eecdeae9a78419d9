import Foundation
import Pipeline

/// Two sets of results, metric by metric.
public struct Comparison: Sendable {
    /// One metric in both.
    public struct Row: Sendable, Equatable {
        public let experiment: String
        public let metric: String
        public let subject: Subject
        public let unit: String
        public let outcome: Outcome
    }

    public enum Outcome: Sendable, Equatable {
        /// Both numbers may be set side by side.
        case compared(Numbers)
        /// They may not, and why.
        case notComparable([String])
        case onlyInBase, onlyInHead
    }

    public struct Numbers: Sendable, Equatable {
        public let base, head: Double
        public let baseInterval, headInterval: Metric.Interval?
        public let n: Int
        public let higherIsBetter: Bool
        /// Whether they are apart by more than the tolerance.
        public let differs: Bool
        /// Over the images of both; nil where nothing is stored of single images.
        public var test: PairedTest?

        public var difference: Double { head - base }
    }

    /// What else is not the same in two runs of one experiment.
    public struct Setting: Sendable, Equatable {
        public let experiment: String
        public let what: String
        public let base, head: String
    }

    /// A paper's claim whose verdict is not the same in both.
    public struct Claim: Sendable, Equatable {
        public let experiment: String
        public let base, head: ClaimVerdict
    }

    public private(set) var rows: [Row] = []
    public private(set) var claims: [Claim] = []
    public private(set) var settings: [Setting] = []
    /// Experiments that only one of the two has.
    public let onlyInBase, onlyInHead: [String]

    /// - Parameter tolerance: differences up to this, relative to the number where it is above 1, are none.
    public init(base: [ComparedRun], head: [ComparedRun], tolerance: Double) {
        let (bases, heads) = (Self.byName(base), Self.byName(head))
        onlyInBase = bases.keys.filter { heads[$0] == nil }.sorted().map(\.description)
        onlyInHead = heads.keys.filter { bases[$0] == nil }.sorted().map(\.description)
        for name in bases.keys.sorted() {
            guard let first = bases[name], let second = heads[name] else { continue }
            settings += Self.settings(name.description, first.run, second.run)
            rows += Self.rows(name.description, first, second, tolerance: tolerance)
            claims += Self.claims(name.description, first, second)
        }
        correctTests()
    }

    public var differences: Int {
        rows.count { if case .compared(let numbers) = $0.outcome { numbers.differs } else { false } }
    }
    public var compared: Int { rows.count { if case .compared = $0.outcome { true } else { false } } }
    public var notComparable: Int { rows.count { if case .notComparable = $0.outcome { true } else { false } } }

    private static func byName(_ runs: [ComparedRun]) -> [ComparedRun.Name: ComparedRun] {
        Dictionary(runs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Probabilities of all tests at once.
    private mutating func correctTests() {
        var places: [Int] = []
        var probabilities: [Double] = []
        for (index, row) in rows.enumerated() {
            if case .compared(let numbers) = row.outcome, let test = numbers.test {
                places.append(index)
                probabilities.append(test.probability)
            }
        }
        for (index, corrected) in zip(places, Holm.corrected(probabilities)) {
            guard case .compared(var numbers) = rows[index].outcome else { continue }
            numbers.test?.corrected = corrected
            let row = rows[index]
            rows[index] = Row(
                experiment: row.experiment, metric: row.metric, subject: row.subject, unit: row.unit,
                outcome: .compared(numbers))
        }
    }
}

// MARK: - Two runs

extension Comparison {
    private struct Place: Hashable {
        let metric: String
        let columns: Set<Subject.Column>

        init(_ metric: Metric) { (self.metric, columns) = (metric.name, Set(metric.subject.columns)) }
    }

    private static func claims(_ name: String, _ base: ComparedRun, _ head: ComparedRun) -> [Claim] {
        guard [base, head].allSatisfy({ !$0.run.isPartial && $0.run.state != .ended(.untrusted) }) else { return [] }
        return base.claims.compactMap { claim in
            guard let other = head.claims.first(where: { $0.paper == claim.paper && $0.name == claim.name }),
                other.mark != claim.mark
            else { return nil }
            return Claim(experiment: name, base: claim, head: other)
        }
    }

    private static func rows(_ name: String, _ base: ComparedRun, _ head: ComparedRun, tolerance: Double) -> [Row] {
        let heads = Dictionary(head.metrics.map { (Place($0), $0) }, uniquingKeysWith: { first, _ in first })
        let places = Set(base.metrics.map(Place.init))
        func row(_ metric: Metric, _ outcome: Outcome) -> Row {
            Row(experiment: name, metric: metric.name, subject: metric.subject, unit: metric.unit, outcome: outcome)
        }
        return base.metrics.map { metric in
            guard let other = heads[Place(metric)] else { return row(metric, .onlyInBase) }
            let reasons = Self.reasons(metric, base.run, other, head.run)
            guard reasons.isEmpty, let first = metric.value, let second = other.value else {
                return row(metric, .notComparable(reasons))
            }
            return row(
                metric,
                .compared(
                    Numbers(
                        base: first, head: second, baseInterval: metric.interval, headInterval: other.interval,
                        n: metric.n,
                        higherIsBetter: metric.higherIsBetter,
                        differs: abs(second - first) > tolerance * max(1, abs(first)),
                        test: PairedTest(metric, base.predictions, other, head.predictions))))
        } + head.metrics.filter { !places.contains(Place($0)) }.map { row($0, .onlyInHead) }
    }

    /// Why two numbers of one name say nothing about each other; empty where they do.
    private static func reasons(_ base: Metric, _ baseRun: StoredRun, _ head: Metric, _ headRun: StoredRun) -> [String]
    {
        var reasons = MetricColumn.all.compactMap { column in
            let (first, second) = (column.value(base), column.value(head))
            return first == second ? nil : column.mismatch.map { "\($0): \(first), \(second)" }
        }
        for (side, metric, run) in [("base", base, baseRun), ("head", head, headRun)] {
            if metric.isPartial { reasons.append("\(side) is partial") }
            if run.state == .ended(.untrusted) { reasons.append("a control failed in \(side)") }
            if metric.status != .ok { reasons.append("\(side) has no value: \(metric.note ?? metric.status.rawValue)") }
        }
        return reasons
    }

    private static func settings(_ name: String, _ base: StoredRun, _ head: StoredRun) -> [Setting] {
        var settings: [Setting] = []
        func add(_ what: String, _ first: String, _ second: String) {
            if first != second { settings.append(Setting(experiment: name, what: what, base: first, head: second)) }
        }
        func commit(_ run: StoredRun) -> String {
            (run.commit.map { String($0.prefix(12)) } ?? "none") + (run.isDirty ? " with changes" : "")
        }
        add("commit", commit(base), commit(head))
        if base.specDigest != head.specDigest {
            let (first, second) = (lines(base.specText), lines(head.specText))
            add(
                "spec", first.filter { !second.contains($0) }.joined(separator: " / "),
                second.filter { !first.contains($0) }.joined(separator: " / "))
        }
        add("host", base.host.name, head.host.name)
        add("processor", base.host.cpu, head.host.cpu)
        add("BLAS core", base.blasCore, head.blasCore)
        for version in Set(base.versions.keys).union(head.versions.keys).sorted() {
            add(version, base.versions[version] ?? "none", head.versions[version] ?? "none")
        }
        return settings
    }

    /// Without comments and blank lines, which decide nothing.
    private static func lines(_ spec: String) -> [String] {
        spec.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter {
            !$0.isEmpty && !$0.hasPrefix("#")
        }
    }
}
