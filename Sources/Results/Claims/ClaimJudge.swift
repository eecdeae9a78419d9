import Foundation
import Pipeline

/// Decides claims by the metrics of one run of their experiment.
public struct ClaimJudge {
    private let metrics: [Metric]
    private let places: [Place: Int]
    private let spread: Spread

    /// Probability that the intervals of a test hold together.
    private static let level = 0.95

    private struct Place: Hashable {
        let name: String
        let columns: Set<Subject.Column>
    }

    public init(_ metrics: [Metric]) {
        self.metrics = metrics
        places = Dictionary(
            metrics.enumerated().map { (Place(name: $1.name, columns: Set($1.subject.columns)), $0) },
            uniquingKeysWith: { first, _ in first })
        spread = Spread(metrics)
    }

    /// - Parameter paper: what tables call it.
    public func verdict(on claim: Claim, of paper: String) -> ClaimVerdict {
        let outcomes = claim.settings.map { setting in
            (
                words: setting.words,
                outcome: conjunction(claim.tests.map { outcome(of: $0, setting, among: claim.tests.count) })
            )
        }
        let measured = outcomes.filter { $0.outcome.verdict != .notMeasured }
        guard let first = measured.first?.outcome.verdict else {
            return ClaimVerdict(claim, of: paper, .notMeasured, because: outcomes.first?.outcome.because ?? "")
        }
        let isAgreed = measured.allSatisfy { $0.outcome.verdict == first }
        let isContradicted = Set(measured.map(\.outcome.verdict)).isSuperset(of: [.holds, .fails])
        let verdict: ClaimVerdict.Verdict = isAgreed ? first : isContradicted ? .depends : .undecided
        let because = outcomes.map { setting in
            let said = setting.outcome.verdict == .notMeasured ? "not measured" : setting.outcome.because
            return setting.words.isEmpty ? said : "\(said) \(setting.words)"
        }.joined(separator: "; ")
        if verdict == .holds, let caveat = claim.caveat {
            let outcomes = claim.settings.map { outcome(of: caveat, $0, among: 1) }
            if let but = outcomes.first(where: { $0.verdict == .holds }) {
                return ClaimVerdict(
                    claim, of: paper, .holds, qualified: true, because: "\(because); but \(but.because)")
            }
            if let missing = outcomes.first, outcomes.allSatisfy({ $0.verdict == .notMeasured }) {
                return ClaimVerdict(
                    claim, of: paper, .holds,
                    because: "\(because); whether it means less is not known: \(missing.because)")
            }
        }
        return ClaimVerdict(claim, of: paper, verdict, because: because)
    }

    private struct Outcome {
        var verdict: ClaimVerdict.Verdict
        var because: String
    }

    /// All have to hold; one that fails decides, whatever is missing of the others.
    private func conjunction(_ outcomes: [Outcome]) -> Outcome {
        for verdict in [ClaimVerdict.Verdict.fails, .notMeasured, .undecided] {
            let chosen = outcomes.filter { $0.verdict == verdict }
            if !chosen.isEmpty {
                return Outcome(verdict: verdict, because: chosen.map(\.because).joined(separator: "; "))
            }
        }
        return Outcome(verdict: .holds, because: outcomes.map(\.because).joined(separator: "; "))
    }

    // MARK: Tests

    /// - Parameter tests: that have to hold together.
    private func outcome(of test: Claim.Test, _ setting: Claim.Setting, among tests: Int) -> Outcome {
        let level = 1 - (1 - Self.level) / Double(tests)
        let quantity = test.quantity.adding(setting.columns)
        do {
            guard let (quantifier, range) = test.quantifier else {
                let estimate = try estimate(quantity, level: level)
                return Outcome(
                    verdict: estimate.verdict(test.bound), because: words(test, [estimate], shown: estimate, count: 1))
            }
            let items = try values(of: range, in: quantity)
            let itemLevel = 1 - (1 - level) / Double(items.count)
            let estimates = try items.map { try estimate(quantity.with(range.column, $0), level: itemLevel, item: $0) }
            let verdicts = estimates.map { $0.verdict(test.bound) }
            let (held, failed) = (verdicts.count { $0 == .holds }, verdicts.count { $0 == .fails })
            let verdict: ClaimVerdict.Verdict =
                switch quantifier {
                case .every: failed > 0 ? .fails : held == items.count ? .holds : .undecided
                case .most:
                    2 * held > items.count ? .holds : 2 * (items.count - failed) <= items.count ? .fails : .undecided
                }
            // The one that is nearest to the wrong side, or farthest on it.
            let worst = zip(estimates, verdicts).filter { verdict != .fails || $0.1 == .fails }.map(\.0)
                .min { test.bound.isLower ? $0.value < $1.value : $0.value > $1.value }
            return Outcome(verdict: verdict, because: words(test, estimates, shown: worst ?? estimates[0], count: held))
        } catch let missing as Missing {
            return Outcome(verdict: .notMeasured, because: missing.reason)
        } catch {
            preconditionFailure("only missing numbers are thrown")
        }
    }

    private func words(_ test: Claim.Test, _ estimates: [Estimate], shown: Estimate, count: Int) -> String {
        // Two digits of the bound, where it is small.
        let digits = test.bound.number == 0 ? 2 : max(2, 1 - Int(log10(abs(test.bound.number)).rounded(.down)))
        let format = shown.isShare ? NumberFormat.percent : NumberFormat(decimals: digits)
        return test.reads.replacing("{value}", with: format.text(shown.value, shown.interval))
            .replacing(
                "{bound}",
                with: NumberFormat(scale: format.scale, decimals: 0).isExact(test.bound.number)
                    ? NumberFormat(scale: format.scale, decimals: 0).text(test.bound.number)
                    : format.text(test.bound.number)
            )
            .replacing("{item}", with: shown.item).replacing("{count}", with: "\(count)").replacing(
                "{of}", with: "\(estimates.count)")
    }

    // MARK: Quantities

    /// A number that is not there.
    private struct Missing: Error {
        let reason: String
    }

    /// A quantity with its interval.
    private struct Estimate {
        let value: Double
        let interval: Metric.Interval
        let isShare: Bool
        /// The value of the column that the test goes through.
        let item: String

        func verdict(_ bound: Claim.Bound) -> ClaimVerdict.Verdict {
            switch (bound.admits(interval.lower), bound.admits(interval.upper)) {
            case (true, true): .holds
            case (false, false): .fails
            default: .undecided
            }
        }
    }

    /// A quantity whose metrics are found, the extremes outermost: max(a, b) − c is max(a − c, b − c).
    private indirect enum Formula {
        /// A sum of metrics with coefficients.
        case linear([Int: Double])
        case extreme(Quantity.Extreme, [Formula])

        static func - (a: Formula, b: Formula) -> Formula {
            switch (a, b) {
            case (.extreme(let extreme, let parts), _): .extreme(extreme, parts.map { $0 - b })
            case (_, .extreme(let extreme, let parts)): .extreme(extreme.opposite, parts.map { a - $0 })
            case (.linear(let first), .linear(let second)):
                .linear(first.merging(second.mapValues { -$0 }, uniquingKeysWith: +))
            }
        }

        /// Sums that the extremes are taken of.
        var sums: Int {
            switch self {
            case .linear: 1
            case .extreme(_, let parts): parts.reduce(0) { $0 + $1.sums }
            }
        }

        var metrics: Set<Int> {
            switch self {
            case .linear(let terms): Set(terms.keys)
            case .extreme(_, let parts): parts.reduce(into: []) { $0.formUnion($1.metrics) }
            }
        }
    }

    private func formula(_ quantity: Quantity) throws -> Formula {
        switch quantity {
        case .metric(let name, let subject): .linear([try index(name, subject): 1])
        case .difference(let first, let second): try formula(first) - formula(second)
        case .extreme(let extreme, let range, let inner):
            .extreme(extreme, try values(of: range, in: inner).map { try formula(inner.with(range.column, $0)) })
        }
    }

    private typealias Bounds = (value: Double, lower: Double, upper: Double)

    /// The largest of some numbers is at least the largest of their lower bounds and at most the largest of their upper ones,
    /// where all intervals hold together. (A bootstrap of the largest itself is biased upwards: chance always finds a best.)
    private func estimate(_ quantity: Quantity, level: Double, item: String = "") throws -> Estimate {
        let formula = try formula(quantity)
        let found = try bounds(formula, level: 1 - (1 - level) / Double(formula.sums))
        return Estimate(
            value: found.value,
            interval: .init(
                lower: found.lower, upper: found.upper, level: level, method: "joint bootstrap", resamplingUnit: "image"
            ),
            isShare: formula.metrics.allSatisfy { metrics[$0].unit == "share" }, item: item)
    }

    private func bounds(_ formula: Formula, level: Double) throws -> Bounds {
        switch formula {
        case .linear(let terms): return try bounds(terms, level: level)
        case .extreme(let extreme, let parts):
            let found = try parts.map { try bounds($0, level: level) }
            func pick(_ values: [Double]) -> Double { (extreme == .largest ? values.max() : values.min()) ?? .nan }
            return (pick(found.map(\.value)), pick(found.map(\.lower)), pick(found.map(\.upper)))
        }
    }

    private func bounds(_ terms: [Int: Double], level: Double) throws -> Bounds {
        let terms = terms.sorted { $0.key < $1.key }
        let value = terms.reduce(0) { $0 + $1.value * (metrics[$1.key].value ?? .nan) }
        // A metric alone has the interval that is printed beside it.
        if terms.count == 1, terms[0].value == 1, let own = metrics[terms[0].key].interval, own.level == level {
            return (value, own.lower, own.upper)
        }
        let samples = try terms.map { term in
            guard let values = spread.values(term.key) else {
                throw Missing(
                    reason: "\(Self.words(metrics[term.key].name, metrics[term.key].subject)) has no interval")
            }
            return (coefficient: term.value, values: values)
        }
        let replicates = (0..<Spread.replicates).map { replicate in
            samples.reduce(0) { $0 + $1.coefficient * $1.values[replicate] }
        }.sorted()
        guard replicates.allSatisfy(\.isFinite) else { throw Missing(reason: "a sample of the images gives no number") }
        // Of the 95 % that are drawn well, widened to the level.
        let z = NormalQuantile.of((1 + level) / 2)
        let scale = z / NormalQuantile.of((1 + Self.level) / 2)
        // What never happened on n images may happen on others: no interval is narrower than that of none of them.
        let images = terms.compactMap { metrics[$0.key].terms?.images.count }.min()
        let least = images.map { z * z / (Double($0) + z * z) } ?? 0
        return (
            value, value - max(least, scale * (value - Quantile.of(replicates, (1 - Self.level) / 2))),
            value + max(least, scale * (Quantile.of(replicates, (1 + Self.level) / 2) - value))
        )
    }

    private static func words(_ name: String, _ subject: Subject) -> String {
        "\(name) (\(subject.columns.map { "\($0.name) \($0.value)" }.joined(separator: ", ")))"
    }

    private func index(_ name: String, _ subject: Subject) throws -> Int {
        guard let index = places[Place(name: name, columns: Set(subject.columns))] else {
            throw Missing(reason: "there is no \(Self.words(name, subject))")
        }
        guard metrics[index].status == .ok else {
            throw Missing(
                reason: "\(Self.words(name, subject)) was not measured\(metrics[index].note.map { ": \($0)" } ?? "")")
        }
        return index
    }

    /// The values of a column that all metrics of a quantity have which go through it, in the order of the rows.
    private func values(of range: Quantity.Range, in quantity: Quantity) throws -> [String] {
        let lists = quantity.metrics.filter { $0.subject[range.column] == Quantity.any }.map { name, pattern in
            let named = Set(pattern.columns.map(\.name))
            return metrics.filter { metric in
                metric.name == name && Set(metric.subject.columns.map(\.name)) == named
                    && pattern.columns.allSatisfy { $0.value == Quantity.any || metric.subject[$0.name] == $0.value }
            }.compactMap { $0.subject[range.column] }
        }
        var seen: Set<String> = []
        var values = (lists.first ?? []).filter { value in
            lists.allSatisfy { $0.contains(value) } && seen.insert(value).inserted
        }
        .filter { !range.except.contains($0) }
        if range.part != .all {
            values.sort { (Double($0) ?? .infinity) < (Double($1) ?? .infinity) }
            // What stands in the middle belongs to the first half.
            let half = (values.count + 1) / 2
            values = Array(range.part == .firstHalf ? values.prefix(half) : values.dropFirst(half))
        }
        guard !values.isEmpty else {
            let names = Set(quantity.metrics.map(\.name)).sorted().joined(separator: " and ")
            throw Missing(reason: "there is no \(names) by \(range.column)")
        }
        return values
    }
}
